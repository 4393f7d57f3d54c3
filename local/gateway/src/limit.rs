//! The limits of API Gateway's HTTP APIs and of Lambda, from their quota pages.

use std::time::Duration;

/// The request line and all header lines, in bytes. The quota page counts the request line and the header values. Names
/// and separators also count here, so that a request accepted here is accepted there.
pub(crate) const HEAD: usize = 10_240;
/// A request's body at API Gateway, in bytes.
pub(crate) const BODY: usize = 10 * 1024 * 1024;
/// The event of one synchronous invocation, in bytes: about 4.5 MB of binary body, since base64 adds a third.
pub(crate) const LAMBDA_REQUEST: usize = 6 * 1024 * 1024;
/// The response of one synchronous invocation, in bytes, including the 100 bytes that Lambda adds.
pub(crate) const LAMBDA_RESPONSE: usize = 6 * 1024 * 1024 + 100;
/// The variables of a function, in bytes. Lambda measures them as JSON.
pub(crate) const ENVIRONMENT: usize = 4 * 1024;
/// The timeout of an integration at API Gateway.
pub(crate) const INTEGRATION: Duration = Duration::from_secs(30);
/// The timeout of a function's init before its first poll.
pub(crate) const INIT: Duration = Duration::from_secs(10);
/// The timeout of a request head and of an idle connection. The value is ours: API Gateway documents none. It is not a
/// round number, so that a client that returns after ten or thirty seconds does not use a closing connection.
pub(crate) const HEAD_READ: Duration = Duration::from_secs(17);
/// The timeout of a request body. The value is ours: API Gateway documents none.
pub(crate) const BODY_READ: Duration = Duration::from_secs(30);
