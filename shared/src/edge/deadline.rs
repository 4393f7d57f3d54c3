//! How long an invocation may work.

use std::time::Duration;

use lambda_http::{Request, RequestExt as _};
use tokio::time::Instant;

use crate::base::clock::Clock;

/// Less than QStash waits (28 s), which is less than the function may run (29 s) and API Gateway waits (30 s): what is
/// left is for the answer and the commit.
const MAX_TIME: Duration = Duration::from_secs(25);

/// What is kept back of the function's own time for the commit.
const MARGIN: Duration = Duration::from_secs(3);

/// The instant at which this invocation must stop working.
pub(super) fn of(request: &Request, clock: &Clock) -> Instant {
    let remaining = request.lambda_context_ref().map_or(MAX_TIME, |context| {
        let now = u64::try_from(clock.now().as_millisecond()).unwrap_or_default();
        Duration::from_millis(context.deadline.saturating_sub(now)).saturating_sub(MARGIN)
    });
    Instant::now() + remaining.min(MAX_TIME)
}
