//! The mails that ask a person to sign: the request, its reminder, and the notice of a signer's turn.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::base::integer;

use super::decode::{self, Invalid, Optional, optional};
use super::envelope::Body;
use super::{Date, DisplayName, HttpUrl, Message, Title};

/// Asks a signer to sign a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// The signer's name.
    pub signer_name: DisplayName,
    /// The title of the document.
    pub document_title: Title,
    /// The name of the sender.
    pub sender_name: DisplayName,
    /// The sender's message.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Message>)]
    pub message: Option<Message>,
    /// The date to sign by.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Date>)]
    pub due_date: Option<Date>,
    /// The link to sign.
    pub signature_url: HttpUrl,
}

/// Reminds a signer to sign a document.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reminder {
    /// The invitation that is repeated.
    #[serde(flatten)]
    pub invitation: Invitation,
    /// The number of the reminder.
    #[serde(flatten)]
    pub count: Count,
}

/// The number of reminders to a signer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    /// The number of reminders, including this one.
    #[serde(
        default,
        deserialize_with = "integer::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(maximum = 4_294_967_295_u32)]
    pub reminder_count: Option<u32>,
}

/// Informs a signer that the previous signer has signed, if the signers sign in order.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Turn {
    /// The invitation.
    #[serde(flatten)]
    pub invitation: Invitation,
    /// The signer's position.
    #[serde(flatten)]
    pub place: Place,
}

/// A signer's position in the order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The name of the previous signer.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<DisplayName>)]
    pub previous_signer_name: Option<DisplayName>,
    /// The signer's position, from 1.
    #[serde(
        default,
        deserialize_with = "integer::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(maximum = 4_294_967_295_u32)]
    pub current_signer_order: Option<u32>,
    /// The number of signers.
    #[serde(
        default,
        deserialize_with = "integer::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(maximum = 4_294_967_295_u32)]
    pub total_signers: Option<u32>,
}

impl Body for Reminder {
    fn read(payload: &Value) -> Result<Self, Invalid> {
        Ok(Self {
            invitation: decode::from(payload)?,
            count: decode::from(payload)?,
        })
    }
}

impl Body for Turn {
    fn read(payload: &Value) -> Result<Self, Invalid> {
        Ok(Self {
            invitation: decode::from(payload)?,
            place: decode::from(payload)?,
        })
    }
}
