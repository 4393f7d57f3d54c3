//! The mails that tell what became of a request: completed, about to expire, expired, declined, cancelled.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::decode::{Optional, optional};
use super::{Date, DisplayName, HttpUrl, Message, Title};

/// Everybody has signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Completion {
    /// The recipient's name.
    pub recipient_name: DisplayName,
    /// What was signed.
    pub document_title: Title,
    /// Who asked for the signatures.
    pub sender_name: DisplayName,
    /// Where the document can be seen.
    pub document_url: HttpUrl,
    /// When the last one signed.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Date>)]
    pub completed_at: Option<Date>,
    /// Who signed, in their order; at most 100.
    #[serde(default, skip_serializing_if = "Signers::is_empty")]
    pub signers: Signers,
}

/// The names of those who signed: at most 100.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Vec<DisplayName>", into = "Vec<DisplayName>")]
#[schema(value_type = Vec<DisplayName>, max_items = 100)]
pub struct Signers(Vec<DisplayName>);

/// More signers are named than a mail can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must contain at most {MAX_SIGNERS} signers")]
pub struct TooManySigners;

/// How many signers a mail names.
const MAX_SIGNERS: usize = 100;

/// The time to sign runs out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExpiryWarning {
    /// The recipient's name.
    pub recipient_name: DisplayName,
    /// What is to be signed.
    pub document_title: Title,
    /// Who asked for the signatures.
    pub sender_name: DisplayName,
    /// Until when it can be signed.
    pub expires_at: Date,
    /// Where the recipient can act: sign, or look at the request.
    pub action_url: HttpUrl,
    /// What the recipient is to the request.
    #[serde(default)]
    pub role: Role,
}

/// What a recipient is to a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// One who is to sign.
    #[default]
    Signer,
    /// One who asked for signatures.
    Owner,
}

/// The time to sign has run out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Expired {
    /// The recipient's name.
    pub recipient_name: DisplayName,
    /// What was to be signed.
    pub document_title: Title,
    /// Who asked for the signatures.
    pub sender_name: DisplayName,
    /// When it ran out.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Date>)]
    pub expired_at: Option<Date>,
    /// Where the document can be seen.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<HttpUrl>)]
    pub document_url: Option<HttpUrl>,
}

/// A signer has declined; to the one who asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Declined {
    /// The recipient's name.
    pub recipient_name: DisplayName,
    /// What was to be signed.
    pub document_title: Title,
    /// Who declined.
    pub signer_name: DisplayName,
    /// The signer's own words.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Message>)]
    pub reason: Option<Message>,
    /// Where the document can be seen.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<HttpUrl>)]
    pub document_url: Option<HttpUrl>,
}

/// The request was withdrawn; to those who were asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cancelled {
    /// The recipient's name.
    pub recipient_name: DisplayName,
    /// What was to be signed.
    pub document_title: Title,
    /// Who withdrew it.
    pub sender_name: DisplayName,
    /// The sender's own words.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Message>)]
    pub reason: Option<Message>,
}

impl Signers {
    /// Whether none is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names.
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
