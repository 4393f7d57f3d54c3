//! Sending a mail through a provider: the mail, and the classes of the provider's answers.

mod address;
mod mailbox;
mod provider;
mod reason;
mod resend;
#[cfg(feature = "ses")]
mod sender;
#[cfg(feature = "ses")]
mod ses;

use std::time::Duration;

pub use self::address::{EmailAddress, InvalidAddress};
pub use self::mailbox::{InvalidMailbox, Mailbox};
pub use self::provider::{Provider, UnknownProvider};
pub use self::resend::{Resend, SetupError};
#[cfg(feature = "ses")]
pub use self::sender::Sender;
#[cfg(feature = "ses")]
pub use self::ses::Ses;

/// The name of the tag that carries a mail's key to the provider; its events return the tag.
pub const LEDGER_TAG: &str = "ledger";

/// One mail to one recipient.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The sender: a mailbox that the provider has verified.
    pub from: Mailbox,
    /// The recipient.
    pub to: EmailAddress,
    /// The address for replies, if it is not `from`.
    pub reply_to: Option<EmailAddress>,
    /// The subject: one line of Unicode text; the provider encodes it.
    pub subject: String,
    /// The HTML part.
    pub html: String,
    /// The plain text part, with the same content.
    pub text: String,
    /// Further headers: ASCII names and one-line values.
    pub headers: Vec<(&'static str, String)>,
}

impl Mail {
    /// Returns whether the subject and every header are one line each. A line break would allow an injected header (RFC
    /// 5322, section 2.2).
    #[must_use]
    pub fn is_one_line_per_header(&self) -> bool {
        let mut lines = self.headers.iter().map(|(_, value)| value);
        !self.subject.contains(char::is_control)
            && lines.all(|value| !value.contains(char::is_control))
    }
}

/// The provider's id of an accepted mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageId(String);

impl MessageId {
    /// Wraps the provider's id.
    #[must_use]
    pub fn new(id: String) -> Self {
        Self(id)
    }

    /// Returns the id of a mail that the provider accepted without returning an id.
    #[must_use]
    pub fn unknown() -> Self {
        Self(String::new())
    }

    /// Returns the id as text, if it is known.
    #[must_use]
    pub fn known(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|id| !id.is_empty())
    }

    /// Returns the id as text; empty if it is unknown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a mail was not accepted. The variants differ in the caller's next step.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// A sending limit is reached. The mail was not accepted; a later retry may succeed.
    #[error("the mail provider throttled the mail: {reason}")]
    Throttled {
        /// The provider's `Retry-After`, if it sent one.
        retry_after: Option<Duration>,
        /// The provider's code and message, without addresses.
        reason: String,
    },
    /// The provider rejects this mail's recipient or content. A retry cannot succeed.
    #[error("the mail provider rejected the mail: {reason}")]
    Rejected {
        /// The provider's code and message, without addresses.
        reason: String,
    },
    /// The provider was unreachable, or failed before it accepted the mail. The mail was certainly not accepted.
    #[error("the mail provider is unavailable")]
    Unavailable(#[source] Cause),
    /// The request was sent and no answer arrived: the mail may have been accepted.
    #[error("the mail provider did not answer; the mail may have been sent")]
    Unknown(#[source] Cause),
    /// The account may not send this mail: the sender is not verified, or sending is paused. The configuration has to
    /// be changed; the mail itself is valid and was not accepted.
    #[error("the mail provider does not allow this account to send: {reason}")]
    NotAllowed {
        /// The provider's code and message, without addresses.
        reason: String,
    },
}
