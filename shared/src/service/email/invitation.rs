//! The mails to one signer: the request to sign, and its reminder.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::base::whole;

use super::decode::{self, Invalid, Optional, optional};
use super::{DisplayName, DueDate, EmailAddress, HttpUrl, Message, Reference, Title};

/// Asks one signer to sign one document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// The signer's address.
    pub to: EmailAddress,
    /// The signer's name.
    pub signer_name: DisplayName,
    /// What is to be signed.
    pub document_title: Title,
    /// Who asks.
    pub sender_name: DisplayName,
    /// The sender's own words.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Message>)]
    pub message: Option<Message>,
    /// By when to sign.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<DueDate>)]
    pub due_date: Option<DueDate>,
    /// Where to sign.
    pub signature_url: HttpUrl,
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
}

/// Asks one signer again.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reminder {
    /// What is asked again.
    #[serde(flatten)]
    pub invitation: Invitation,
    /// How many reminders there have been, this one included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 4_294_967_295_u32)]
    pub reminder_count: Option<u32>,
}

/// What a reminder has beyond the request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Count {
    #[serde(default, deserialize_with = "whole::optional")]
    reminder_count: Option<u32>,
}

impl Reminder {
    /// Reads both halves of the one object by themselves: flattened, serde would lose which member is wrong.
    pub(super) fn parse(payload: &Value) -> Result<Self, Invalid> {
        let Count { reminder_count } = decode::from(payload)?;
        Ok(Self {
            invitation: decode::from(payload)?,
            reminder_count,
        })
    }
}
