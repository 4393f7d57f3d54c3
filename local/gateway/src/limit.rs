//! The limits of API Gateway's HTTP APIs and of Lambda, as their quota pages state them.

use std::time::Duration;

/// The request line and all header lines, in bytes. The quota page counts the request line and the header values; names
/// and separators count here too, so that what passes here passes there.
pub(crate) const HEAD: usize = 10_240;
/// A request's body at API Gateway, in bytes.
pub(crate) const BODY: usize = 10 * 1024 * 1024;
/// The event of one synchronous invocation, in bytes: about 4.5 MB of binary body, since base64 adds a third.
pub(crate) const LAMBDA_REQUEST: usize = 6 * 1024 * 1024;
/// The answer of one synchronous invocation, in bytes, with the 100 that Lambda grants on top.
pub(crate) const LAMBDA_RESPONSE: usize = 6 * 1024 * 1024 + 100;
/// The variables of a function, in bytes. Lambda's own message measures them as JSON.
pub(crate) const ENVIRONMENT: usize = 4 * 1024;
/// How long API Gateway waits for an integration.
pub(crate) const INTEGRATION: Duration = Duration::from_secs(30);
/// How long Lambda lets a function initialise before its first poll.
pub(crate) const INIT: Duration = Duration::from_secs(10);
/// How long a client may take over its head, and how long a connection may idle. Ours: API Gateway does not state it.
/// No round number, so that a client that comes back after ten or thirty seconds does not meet a closing connection.
pub(crate) const HEAD_READ: Duration = Duration::from_secs(17);
/// How long a client may take over its body. Ours: API Gateway does not state it.
pub(crate) const BODY_READ: Duration = Duration::from_secs(30);
