//! The mails about an account: verify an address, choose a new password, and security alerts.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::decode::{Optional, optional};
use super::{Date, DisplayName, HttpUrl, Reference};

/// Asks the recipient to verify an e-mail address.
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
    /// The link to verify the address.
    pub verification_url: HttpUrl,
    /// When the link expires.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Date>)]
    pub expires_at: Option<Date>,
}

/// Lets the recipient choose a new password.
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
    /// The link to choose a new password.
    pub reset_url: HttpUrl,
    /// When the link expires.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Date>)]
    pub expires_at: Option<Date>,
}

/// Informs the owner of an account about a security event.
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
    /// The event.
    pub event: SecurityEvent,
    /// When the event happened.
    pub at: Date,
    /// The device or browser.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<DisplayName>)]
    pub device: Option<DisplayName>,
    /// The IP address.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Reference>)]
    pub ip_address: Option<Reference>,
    /// The link to respond to the event.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<HttpUrl>)]
    pub action_url: Option<HttpUrl>,
}

/// A security event of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SecurityEvent {
    /// A sign-in from a new device.
    NewDevice,
    /// The account was locked after too many failed attempts.
    AccountLocked,
    /// The password was changed.
    PasswordChanged,
    /// The second factor was enabled, disabled or changed.
    TotpChanged,
    /// All sessions were revoked.
    SessionsRevoked,
}
