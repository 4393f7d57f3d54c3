//! The JSON request of `POST /emails`.
//!
//! Members: <https://resend.com/docs/api-reference/emails/send-email>. Other members are ignored.

use std::collections::BTreeMap;

use serde::Deserialize;

/// One mail. Required fields are checked later: each missing field has its own message.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    pub(super) from: Option<String>,
    pub(super) to: OneOrMany,
    pub(super) cc: OneOrMany,
    pub(super) bcc: OneOrMany,
    #[serde(alias = "replyTo")]
    pub(super) reply_to: OneOrMany,
    pub(super) subject: Option<String>,
    pub(super) html: Option<String>,
    pub(super) text: Option<String>,
    pub(super) headers: Option<BTreeMap<String, String>>,
    pub(super) tags: Option<Vec<Pair>>,
    pub(super) attachments: Option<Vec<Attachment>>,
    #[serde(alias = "scheduledAt")]
    pub(super) scheduled_at: Option<String>,
}

/// A single text, or a list of them.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
    #[default]
    None,
}

/// A tag.
#[derive(Debug, Deserialize)]
pub(super) struct Pair {
    pub(super) name: String,
    #[serde(default)]
    pub(super) value: String,
}

/// A file: in base64, or somewhere on the web.
#[derive(Debug, Deserialize)]
pub(super) struct Attachment {
    #[serde(default)]
    pub(super) filename: Option<String>,
    pub(super) content: Option<serde::de::IgnoredAny>,
    pub(super) path: Option<serde::de::IgnoredAny>,
}

impl OneOrMany {
    /// Returns the texts, in their order.
    pub(super) fn list(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
            Self::None => Vec::new(),
        }
    }

    /// Returns a reference to the texts, in their order.
    pub(super) fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
            Self::None => &[],
        }
    }
}
