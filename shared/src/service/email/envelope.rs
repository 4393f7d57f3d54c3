//! Whom a mail goes to, and what it is: what every mail to one person has beside its own words.

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
    /// The recipient's address.
    pub to: EmailAddress,
    /// The signing request, for the mail's identity in the ledger; the job stands in for it.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Reference>)]
    pub request_id: Option<Reference>,
    /// The signer's row, for the mail's identity in the ledger; the address stands in for it.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Reference>)]
    pub signer_id: Option<Reference>,
    /// Which mail of this kind to this signer it is; the job stands in for it.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Reference>)]
    pub occurrence: Option<Reference>,
    /// An earlier occurrence that this one takes the place of, such as one to a wrong address: as long as it has not
    /// gone, it never goes. Needs requestId and signerId.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Reference>)]
    pub supersedes: Option<Reference>,
    /// The organisation in whose name the mail goes: its name, logo and colour stand in it.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Reference>)]
    pub domain: Option<Reference>,
    /// Where the recipient's answer goes.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<EmailAddress>)]
    pub sender_email: Option<EmailAddress>,
}

/// A mail to one person: the envelope, and what the type is about, as members of one object.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Addressed<B: ToSchema> {
    /// To whom.
    #[serde(flatten)]
    pub envelope: Envelope,
    /// What it says.
    #[serde(flatten)]
    pub body: B,
}

/// What one type of e-mail is about.
pub(super) trait Body: ToSchema + Sized {
    /// Reads it out of the payload, whose other members it ignores.
    fn read(payload: &Value) -> Result<Self, Invalid>;
}

impl<B: DeserializeOwned + ToSchema> Body for B {
    fn read(payload: &Value) -> Result<Self, Invalid> {
        decode::from(payload)
    }
}

/// Reads both halves of the one object by themselves: flattened, serde would lose which member is wrong.
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
