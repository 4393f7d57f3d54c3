//! The mails about an account: prove an address, choose a new password, and word of what may not have been oneself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::decode::{Optional, optional};
use super::{Date, DisplayName, HttpUrl, Reference};

/// Asks to prove an address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EmailVerification {
    /// The recipient's name.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<DisplayName>)]
    pub recipient_name: Option<DisplayName>,
    /// Where it is proved.
    pub verification_url: HttpUrl,
    /// Until when the link works.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Date>)]
    pub expires_at: Option<Date>,
}

/// Lets somebody choose a new password.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasswordReset {
    /// The recipient's name.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<DisplayName>)]
    pub recipient_name: Option<DisplayName>,
    /// Where it is chosen.
    pub reset_url: HttpUrl,
    /// Until when the link works.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Date>)]
    pub expires_at: Option<Date>,
}

/// Tells the owner of an account what happened to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecurityAlert {
    /// The recipient's name.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<DisplayName>)]
    pub recipient_name: Option<DisplayName>,
    /// What happened.
    pub event: SecurityEvent,
    /// When.
    pub at: Date,
    /// With what device or browser.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<DisplayName>)]
    pub device: Option<DisplayName>,
    /// From which address.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Reference>)]
    pub ip_address: Option<Reference>,
    /// Where the owner can act.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<HttpUrl>)]
    pub action_url: Option<HttpUrl>,
}

/// What happened to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SecurityEvent {
    /// Somebody signed in from a device that was not seen before.
    NewDevice,
    /// Too many attempts failed.
    AccountLocked,
    /// The password is another.
    PasswordChanged,
    /// The second factor was switched on, off, or exchanged.
    TotpChanged,
    /// All sessions were ended.
    SessionsRevoked,
}
