//! The only code of this crate that reads the machine's clock.

use jiff::Timestamp;

/// Returns the current instant, to the millisecond, for the date of a mail.
#[expect(
    clippy::disallowed_methods,
    reason = "a provider outside the functions: its mails are dated by the machine's clock"
)]
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
