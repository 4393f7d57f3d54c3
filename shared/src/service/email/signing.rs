//! The mails that ask a person to sign: the request, its reminder, and word that it is one's turn.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::base::whole;

use super::decode::{self, Invalid, Optional, optional};
use super::envelope::Body;
use super::{Date, DisplayName, HttpUrl, Message, Title};

/// Asks one signer to sign one document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
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
    #[schema(value_type = Optional<Date>)]
    pub due_date: Option<Date>,
    /// Where to sign.
    pub signature_url: HttpUrl,
}

/// Asks one signer again.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reminder {
    /// What is asked again.
    #[serde(flatten)]
    pub invitation: Invitation,
    /// Which reminder it is.
    #[serde(flatten)]
    pub count: Count,
}

/// How often a signer was asked again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    /// How many reminders there have been, this one included.
    #[serde(
        default,
        deserialize_with = "whole::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(maximum = 4_294_967_295_u32)]
    pub reminder_count: Option<u32>,
}

/// Tells a signer, in an agreed order of signers, that the one before has signed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Turn {
    /// What is asked.
    #[serde(flatten)]
    pub invitation: Invitation,
    /// Where in the order the signer is.
    #[serde(flatten)]
    pub place: Place,
}

/// A signer's place in the order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// Who signed before.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<DisplayName>)]
    pub previous_signer_name: Option<DisplayName>,
    /// The signer's place, from 1.
    #[serde(
        default,
        deserialize_with = "whole::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(maximum = 4_294_967_295_u32)]
    pub current_signer_order: Option<u32>,
    /// How many sign.
    #[serde(
        default,
        deserialize_with = "whole::optional",
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
