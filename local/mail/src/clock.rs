//! The one place here that reads the machine's clock.

use jiff::Timestamp;

/// The present instant, to the millisecond, as a mail is dated with it.
#[expect(
    clippy::disallowed_methods,
    reason = "a provider outside the functions: its mails are dated by the machine's clock"
)]
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
