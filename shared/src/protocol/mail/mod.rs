//! Handing a mail to a provider: what a mail is, and how a provider's answer is told apart.

mod address;
mod mailbox;
#[cfg(feature = "ses")]
mod ses;

use std::str::FromStr;
use std::time::Duration;

use crate::base::env;

pub use self::address::{EmailAddress, InvalidAddress};
pub use self::mailbox::{InvalidMailbox, Mailbox};
#[cfg(feature = "ses")]
pub use self::ses::Ses;

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

    /// The id as text.
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
    #[error("the mail provider is limiting: {reason}")]
    Throttled {
        /// How long the provider wants to be left alone, if it says so.
        retry_after: Option<Duration>,
        /// The provider's code and words, without addresses.
        reason: String,
    },
    /// This mail will never go: a recipient or a content that the provider refuses.
    #[error("the mail provider refused the mail: {reason}")]
    Rejected {
        /// The provider's code and words, without addresses.
        reason: String,
    },
    /// The provider was not reached, or failed before it took the mail. It was surely not accepted.
    #[error("the mail provider is not available")]
    Unavailable(#[source] Cause),
    /// The request was sent and no answer came: the mail may have been accepted.
    #[error("the mail provider did not answer")]
    Unknown(#[source] Cause),
    /// The account may not send this: a sender that is not verified, sending paused. Someone has to change the
    /// configuration; the mail itself is sound and was not accepted.
    #[error("the mail provider does not let this account send: {reason}")]
    NotAllowed {
        /// The provider's code and words, without addresses.
        reason: String,
    },
}

/// The mail providers that a deployment can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Amazon SES, API version 2.
    Ses,
    /// Resend.
    Resend,
}

impl Provider {
    /// The provider of `EMAIL_PROVIDER`; SES where it is absent.
    pub fn from_env() -> Result<Self, env::Error> {
        env::parsed_or("EMAIL_PROVIDER", Self::Ses)
    }

    /// The name under which the provider stands in configuration and ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ses => "ses",
            Self::Resend => "resend",
        }
    }

    /// How long the provider knows a mail again by its idempotency key, counted from the first time that it saw the
    /// key; `None` where it has no such keys.
    #[must_use]
    pub fn idempotency(self) -> Option<Duration> {
        match self {
            Self::Ses => None,
            Self::Resend => Some(Duration::from_hours(24)),
        }
    }
}

/// The name is not that of a provider that this build can use.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the only provider of this build is `ses`")]
pub struct UnknownProvider;

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "ses" => Ok(Self::Ses),
            _ => Err(UnknownProvider),
        }
    }
}
