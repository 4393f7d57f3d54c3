//! The mails about the outcome of a request: completed, about to expire, expired, declined, cancelled.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::decode::{Optional, optional};
use super::{Date, DisplayName, HttpUrl, Message, Title};

/// All signers have signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Completion {
    /// The recipient's name.
    pub recipient_name: DisplayName,
    /// The title of the signed document.
    pub document_title: Title,
    /// The name of the sender.
    pub sender_name: DisplayName,
    /// The link to the document.
    pub document_url: HttpUrl,
    /// When the last signer signed.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Date>)]
    pub completed_at: Option<Date>,
    /// The names of the signers, in order; at most 100.
    #[serde(default, skip_serializing_if = "Signers::is_empty")]
    pub signers: Signers,
}

/// The names of the signers; at most 100.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Vec<DisplayName>", into = "Vec<DisplayName>")]
#[schema(value_type = Vec<DisplayName>, max_items = 100)]
pub struct Signers(Vec<DisplayName>);

/// There are more signers than a mail can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must contain at most {MAX_SIGNERS} signers")]
pub struct TooManySigners;

/// The largest number of signers in a mail.
const MAX_SIGNERS: usize = 100;

/// The deadline to sign is approaching.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExpiryWarning {
    /// The recipient's name.
    pub recipient_name: DisplayName,
    /// The title of the document.
    pub document_title: Title,
    /// The name of the sender.
    pub sender_name: DisplayName,
    /// The deadline to sign.
    pub expires_at: Date,
    /// The link to sign, or to view the request.
    pub action_url: HttpUrl,
    /// The recipient's role in the request.
    #[serde(default)]
    pub role: Role,
}

/// A recipient's role in a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A signer.
    #[default]
    Signer,
    /// The sender of the request.
    Owner,
}

/// The deadline to sign has passed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Expired {
    /// The recipient's name.
    pub recipient_name: DisplayName,
    /// The title of the document.
    pub document_title: Title,
    /// The name of the sender.
    pub sender_name: DisplayName,
    /// When the deadline passed.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Date>)]
    pub expired_at: Option<Date>,
    /// The link to the document.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<HttpUrl>)]
    pub document_url: Option<HttpUrl>,
}

/// A signer has declined; sent to the sender of the request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Declined {
    /// The recipient's name.
    pub recipient_name: DisplayName,
    /// The title of the document.
    pub document_title: Title,
    /// The name of the signer who declined.
    pub signer_name: DisplayName,
    /// The signer's reason.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Message>)]
    pub reason: Option<Message>,
    /// The link to the document.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<HttpUrl>)]
    pub document_url: Option<HttpUrl>,
}

/// The request was withdrawn; sent to its signers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cancelled {
    /// The recipient's name.
    pub recipient_name: DisplayName,
    /// The title of the document.
    pub document_title: Title,
    /// The name of the sender.
    pub sender_name: DisplayName,
    /// The sender's reason.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Message>)]
    pub reason: Option<Message>,
}

impl Signers {
    /// Returns whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the names.
    #[must_use]
    pub fn as_slice(&self) -> &[DisplayName] {
        &self.0
    }
}

impl TryFrom<Vec<DisplayName>> for Signers {
    type Error = TooManySigners;

    fn try_from(names: Vec<DisplayName>) -> Result<Self, TooManySigners> {
        if names.len() > MAX_SIGNERS {
            return Err(TooManySigners);
        }
        Ok(Self(names))
    }
}

impl From<Signers> for Vec<DisplayName> {
    fn from(signers: Signers) -> Self {
        signers.0
    }
}
