//! A mail as it was accepted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An accepted mail. Addresses are plain (`local@domain`), except `from` and `reply_to`, which stand as they were sent.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// The `MessageId` that the sender was given.
    pub id: String,
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

impl Mail {
    /// Everybody who gets it.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        [&self.to, &self.cc, &self.bcc]
            .into_iter()
            .flatten()
            .map(String::as_str)
    }
}
