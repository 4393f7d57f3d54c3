//! Handing a mail to a provider: what a mail is, and how a provider's answer is told apart.

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

/// The name of the tag that carries a mail's key to the provider, and back with its events.
pub const LEDGER_TAG: &str = "ledger";

/// One mail to one recipient.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Who it is from: a mailbox that the provider has verified.
    pub from: Mailbox,
    /// Who gets it.
    pub to: EmailAddress,
    /// Where an answer goes, if not to `from`.
    pub reply_to: Option<EmailAddress>,
    /// The subject: one line of Unicode text; the provider encodes it.
    pub subject: String,
    /// The HTML part.
    pub html: String,
    /// The plain text part, which says the same.
    pub text: String,
    /// Further headers: ASCII names and one-line values.
    pub headers: Vec<(&'static str, String)>,
}

impl Mail {
    /// Whether the subject and every header are one line each. A line break in one would start a header of the
    /// writer's choice (RFC 5322, section 2.2).
    #[must_use]
    pub fn is_one_line_per_header(&self) -> bool {
        let mut lines = self.headers.iter().map(|(_, value)| value);
        !self.subject.contains(char::is_control)
            && lines.all(|value| !value.contains(char::is_control))
    }
}

/// The provider's own name of an accepted mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageId(String);

impl MessageId {
    /// The id as the provider wrote it.
    #[must_use]
    pub fn new(id: String) -> Self {
        Self(id)
    }

    /// The id of a mail that the provider has, but did not name.
    #[must_use]
    pub fn unknown() -> Self {
        Self(String::new())
    }

    /// The id as text, if the provider told it.
    #[must_use]
    pub fn known(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|id| !id.is_empty())
    }

    /// The id as text; empty if it is unknown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a mail was not accepted, told apart by what the caller may do next.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// A sending limit is met. The mail was not accepted: it may be tried again, but not now.
    #[error("the mail provider throttled the mail: {reason}")]
    Throttled {
        /// How long the provider wants to be left alone, if it says so.
        retry_after: Option<Duration>,
        /// The provider's code and words, without addresses.
        reason: String,
    },
    /// This mail will never go: a recipient or a content that the provider refuses.
    #[error("the mail provider rejected the mail: {reason}")]
    Rejected {
        /// The provider's code and words, without addresses.
        reason: String,
    },
    /// The provider was not reached, or failed before it took the mail. It was surely not accepted.
    #[error("the mail provider is unavailable")]
    Unavailable(#[source] Cause),
    /// The request was sent and no answer came: the mail may have been accepted.
    #[error("the mail provider did not answer; the mail may have been sent")]
    Unknown(#[source] Cause),
    /// The account may not send this: a sender that is not verified, sending paused. Someone has to change the
    /// configuration; the mail itself is sound and was not accepted.
    #[error("the mail provider does not allow this account to send: {reason}")]
    NotAllowed {
        /// The provider's code and words, without addresses.
        reason: String,
    },
}
