//! A mail as it was accepted.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who took a mail.
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
    /// Its name, as `EMAIL_PROVIDER` has it.
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

/// Nobody here has this name.
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

/// An accepted mail. Addresses are plain (`local@domain`), except `from` and `reply_to`, which stand as they were sent.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// The `MessageId` (SES) or `id` (Resend) that the sender was given.
    pub id: String,
    /// Who took it.
    #[serde(default)]
    pub provider: Provider,
    /// The recipients that stand in `To`.
    pub to: Vec<String>,
    /// The recipients that stand in `Cc`.
    pub cc: Vec<String>,
    /// The recipients that stand nowhere.
    pub bcc: Vec<String>,
    /// The sender, with its display name.
    pub from: String,
    /// Where answers go.
    pub reply_to: Vec<String>,
    /// The subject, decoded.
    pub subject: String,
    /// The HTML part; empty when there is none.
    pub html: String,
    /// The text part; empty when there is none.
    pub text: String,
    /// The headers that the sender added, in their order.
    pub headers: Vec<Header>,
    /// The file names of the attachments. Their content is not kept.
    pub attachments: Vec<String>,
    /// What the sender calls it; events carry it.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// The configuration set that the sender named: without one, SES tells nothing of the mail any more.
    #[serde(default)]
    pub configuration_set: Option<String>,
    /// The key under which Resend sends it once.
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

/// A name and a value that the sender gives a mail.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

impl Mail {
    /// Everybody who gets it.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        [&self.to, &self.cc, &self.bcc]
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    /// The value of its tag of this name.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<&str> {
        let tag = self.tags.iter().find(|tag| tag.name == name);
        tag.map(|tag| tag.value.as_str())
    }
}
