//! The recipient and the identity of a mail: the members that every mail to one person has besides its content.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::decode::{self, Invalid, Optional, optional};
use super::{EmailAddress, Reference};

/// The recipient of a mail, and its identity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// The recipient's e-mail address.
    pub to: EmailAddress,
    /// The signing request, for the identity of the mail. Default: the job.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Reference>)]
    pub request_id: Option<Reference>,
    /// The id of the signer's row, for the identity of the mail. Default: the recipient's address.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Reference>)]
    pub signer_id: Option<Reference>,
    /// Distinguishes mails of this kind to this signer. Default: the job.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Reference>)]
    pub occurrence: Option<Reference>,
    /// An earlier occurrence that this one replaces, such as one to a wrong address. An unsent earlier one is never
    /// sent. Needs `requestId` and `signerId`.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Reference>)]
    pub supersedes: Option<Reference>,
    /// The organisation that the mail is sent for. The mail shows its name, logo and colour.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Reference>)]
    pub domain: Option<Reference>,
    /// The address for replies.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<EmailAddress>)]
    pub sender_email: Option<EmailAddress>,
}

/// A mail to one person: the envelope and the members of its type in one object.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Addressed<B: ToSchema> {
    /// The envelope.
    #[serde(flatten)]
    pub envelope: Envelope,
    /// The members of the type.
    #[serde(flatten)]
    pub body: B,
}

/// The members of one type of e-mail.
pub(super) trait Body: ToSchema + Sized {
    /// Reads them from the payload, and ignores its other members.
    fn read(payload: &Value) -> Result<Self, Invalid>;
}

impl<B: DeserializeOwned + ToSchema> Body for B {
    fn read(payload: &Value) -> Result<Self, Invalid> {
        decode::from(payload)
    }
}

/// Reads both parts of the object separately: with `flatten`, serde would not know which member is invalid.
pub(super) fn addressed<B: Body>(payload: &Value) -> Result<Addressed<B>, Invalid> {
    let envelope: Envelope = decode::from(payload)?;
    let named = envelope.request_id.is_some() && envelope.signer_id.is_some();
    if envelope.supersedes.is_some() && !named {
        return Err(Invalid::at(
            "/supersedes",
            "requires requestId and signerId",
        ));
    }
    Ok(Addressed {
        envelope,
        body: B::read(payload)?,
    })
}
