//! The payload of an e-mail job, which a producer writes and `send-email` reads, parsed once.
//!
//! The shapes are those of the web app; `type` selects one. These types guarantee that texts cannot inject a header,
//! and that links are http(s) URLs.

mod account;
mod bulk;
mod date;
pub(in crate::service) mod decode;
mod envelope;
mod link;
mod outcome;
mod signing;
pub(in crate::service) mod text;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;
use utoipa::ToSchema;

pub use self::account::{EmailVerification, PasswordReset, SecurityAlert, SecurityEvent};
pub use self::bulk::{Bulk, InvalidRecipients, Recipient, Recipients};
pub use self::date::{Date, InvalidDate};
pub use self::decode::Invalid;
pub(in crate::service) use self::decode::optional;
use self::envelope::addressed;
pub use self::envelope::{Addressed, Envelope};
pub use self::link::{HttpUrl, InvalidLink};
pub use self::outcome::{
    Cancelled, Completion, Declined, Expired, ExpiryWarning, Role, Signers, TooManySigners,
};
pub use self::signing::{Count, Invitation, Place, Reminder, Turn};
pub use self::text::{DisplayName, InvalidText, Message, Reference, Title};
pub use crate::protocol::mail::EmailAddress;

/// The types of e-mail, as named by `type`.
pub const TYPES: [&str; 12] = [
    "signature-request",
    "reminder",
    "bulk",
    "completion",
    "expiry-warning",
    "sequential-notification",
    "expired",
    "declined",
    "cancelled",
    "email-verification",
    "password-reset",
    "security-alert",
];

/// The payload of an e-mail job. Unknown members are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Email {
    /// Asks a signer to sign.
    SignatureRequest(Addressed<Invitation>),
    /// Reminds a signer to sign.
    Reminder(Addressed<Reminder>),
    /// Asks many signers to sign one document.
    Bulk(Bulk),
    /// Informs the recipient that all signers have signed.
    Completion(Addressed<Completion>),
    /// Informs the recipient that the deadline to sign is approaching.
    ExpiryWarning(Addressed<ExpiryWarning>),
    /// Informs a signer that it is their turn.
    SequentialNotification(Addressed<Turn>),
    /// Informs the recipient that the deadline to sign has passed.
    Expired(Addressed<Expired>),
    /// Informs the owner that a signer declined.
    Declined(Addressed<Declined>),
    /// Informs the signers that the request was withdrawn.
    Cancelled(Addressed<Cancelled>),
    /// Asks the recipient to verify an e-mail address.
    EmailVerification(Addressed<EmailVerification>),
    /// Lets the recipient choose a new password.
    PasswordReset(Addressed<PasswordReset>),
    /// Informs the owner of an account about a security event.
    SecurityAlert(Addressed<SecurityAlert>),
}

impl Email {
    /// Parses a JSON payload. The error names the invalid member.
    pub fn parse(payload: &Value) -> Result<Self, Invalid> {
        let Some(members) = payload.as_object() else {
            return Err(Invalid::at("", "must be an object"));
        };
        match members.get("type") {
            Some(Value::String(name)) => Self::of_type(name, payload),
            Some(_) => Err(unknown_type()),
            None => Err(Invalid::at("/type", "is missing")),
        }
    }

    fn of_type(name: &str, payload: &Value) -> Result<Self, Invalid> {
        match name {
            "signature-request" => addressed(payload).map(Self::SignatureRequest),
            "reminder" => addressed(payload).map(Self::Reminder),
            "bulk" => decode::from(payload).map(Self::Bulk),
            "completion" => addressed(payload).map(Self::Completion),
            "expiry-warning" => addressed(payload).map(Self::ExpiryWarning),
            "sequential-notification" => addressed(payload).map(Self::SequentialNotification),
            "expired" => addressed(payload).map(Self::Expired),
            "declined" => addressed(payload).map(Self::Declined),
            "cancelled" => addressed(payload).map(Self::Cancelled),
            "email-verification" => addressed(payload).map(Self::EmailVerification),
            "password-reset" => addressed(payload).map(Self::PasswordReset),
            "security-alert" => addressed(payload).map(Self::SecurityAlert),
            _ => Err(unknown_type()),
        }
    }

    /// Returns the type, as named by `type`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SignatureRequest(_) => "signature-request",
            Self::Reminder(_) => "reminder",
            Self::Bulk(_) => "bulk",
            Self::Completion(_) => "completion",
            Self::ExpiryWarning(_) => "expiry-warning",
            Self::SequentialNotification(_) => "sequential-notification",
            Self::Expired(_) => "expired",
            Self::Declined(_) => "declined",
            Self::Cancelled(_) => "cancelled",
            Self::EmailVerification(_) => "email-verification",
            Self::PasswordReset(_) => "password-reset",
            Self::SecurityAlert(_) => "security-alert",
        }
    }

    /// Returns the recipient and identity; none for a bulk, which has many recipients.
    #[must_use]
    pub fn envelope(&self) -> Option<&Envelope> {
        Some(match self {
            Self::Bulk(_) => return None,
            Self::SignatureRequest(mail) => &mail.envelope,
            Self::Reminder(mail) => &mail.envelope,
            Self::Completion(mail) => &mail.envelope,
            Self::ExpiryWarning(mail) => &mail.envelope,
            Self::SequentialNotification(mail) => &mail.envelope,
            Self::Expired(mail) => &mail.envelope,
            Self::Declined(mail) => &mail.envelope,
            Self::Cancelled(mail) => &mail.envelope,
            Self::EmailVerification(mail) => &mail.envelope,
            Self::PasswordReset(mail) => &mail.envelope,
            Self::SecurityAlert(mail) => &mail.envelope,
        })
    }

    /// Returns the organisation that the mail is sent for, if the payload names one.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        let domain = match self {
            Self::Bulk(bulk) => bulk.domain.as_ref(),
            single => single.envelope()?.domain.as_ref(),
        };
        domain.map(Reference::as_str)
    }

    /// Returns whether its recipients may unsubscribe from this type of mail: repeated mails, and mails to many. Other
    /// types are part of a transaction of the recipient.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        matches!(
            self,
            Self::Reminder(_) | Self::ExpiryWarning(_) | Self::Bulk(_)
        )
    }

    /// Returns the number of recipients.
    #[must_use]
    pub fn recipients(&self) -> usize {
        match self {
            Self::Bulk(bulk) => bulk.emails.len(),
            _ => 1,
        }
    }
}

fn unknown_type() -> Invalid {
    Invalid::at("/type", format!("must be one of {}", TYPES.join(", ")))
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let payload = Value::deserialize(deserializer)?;
        Self::parse(&payload).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
