//! The deadline of an invocation.

use std::time::Duration;

use lambda_http::{Request, RequestExt as _};
use tokio::time::Instant;

use crate::base::clock::Clock;

/// The time for the work. QStash waits longer (28 s), the function may run 29 s, and API Gateway waits 30 s. The
/// difference is for the response and the commit.
const MAX_TIME: Duration = Duration::from_secs(25);

/// The part of the function's own time that is reserved for the commit.
const MARGIN: Duration = Duration::from_secs(3);

/// Returns the instant at which this invocation must stop working.
pub(super) fn of(request: &Request, clock: &Clock) -> Instant {
    let remaining = request.lambda_context_ref().map_or(MAX_TIME, |context| {
        let now = u64::try_from(clock.now().as_millisecond()).unwrap_or_default();
        Duration::from_millis(context.deadline.saturating_sub(now)).saturating_sub(MARGIN)
    });
    Instant::now() + remaining.min(MAX_TIME)
}
