//! An accepted mail.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The provider that accepted a mail.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Amazon SES.
    #[default]
    Ses,
    /// Resend.
    Resend,
}

impl Provider {
    /// Returns its name, as in `EMAIL_PROVIDER`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ses => "ses",
            Self::Resend => "resend",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No provider has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be ses or resend")]
pub struct UnknownProvider;

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(name: &str) -> Result<Self, UnknownProvider> {
        [Self::Ses, Self::Resend]
            .into_iter()
            .find(|provider| provider.name() == name)
            .ok_or(UnknownProvider)
    }
}

/// An accepted mail. Addresses are plain (`local@domain`), except the unchanged `from` and `reply_to`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// The `MessageId` (SES) or `id` (Resend) in the response to the sender.
    pub id: String,
    /// The provider that accepted it.
    #[serde(default)]
    pub provider: Provider,
    /// The recipients in `To`.
    pub to: Vec<String>,
    /// The recipients in `Cc`.
    pub cc: Vec<String>,
    /// The recipients in `Bcc`.
    pub bcc: Vec<String>,
    /// The sender, with its display name.
    pub from: String,
    /// The addresses for replies.
    pub reply_to: Vec<String>,
    /// The subject, decoded.
    pub subject: String,
    /// The HTML part; empty if there is none.
    pub html: String,
    /// The text part; empty if there is none.
    pub text: String,
    /// The headers that the sender added, in their order.
    pub headers: Vec<Header>,
    /// The file names of the attachments. Their content is not stored.
    pub attachments: Vec<String>,
    /// The sender's tags, which events contain.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// The sender's configuration set: without one, SES publishes no events of the mail.
    #[serde(default)]
    pub configuration_set: Option<String>,
    /// The idempotency key at Resend.
    #[serde(default)]
    pub idempotency_key: Option<String>,
    /// When it was accepted.
    pub at: Timestamp,
}

/// One header of a mail.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Header {
    /// The name, as it was sent.
    pub name: String,
    /// The value, unfolded.
    pub value: String,
}

/// A tag of a mail: a name and a value.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

impl Mail {
    /// Returns all recipients.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        [&self.to, &self.cc, &self.bcc]
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    /// Returns the value of the tag with this name.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<&str> {
        let tag = self.tags.iter().find(|tag| tag.name == name);
        tag.map(|tag| tag.value.as_str())
    }
}
