//! The wall clock of events and deadlines: the only code of this crate that reads it.

use std::time::Duration;

use jiff::Timestamp;

/// Returns the current instant, UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "the local gateway's own clock: API Gateway and Lambda stamp events with real time"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Returns the instant `after` from now in milliseconds since the epoch, as in `Lambda-Runtime-Deadline-Ms`.
pub(crate) fn epoch_millis_after(after: Duration) -> i64 {
    let after = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
    now().as_millisecond().saturating_add(after)
}
