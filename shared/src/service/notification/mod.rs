//! Notifications: the payload of a job, the rows of the inbox, the unread count, and the push subscriptions.
//!
//! Only functions in Postgres write rows, each notification of a job once ([`Notifications::write`]). Triggers count
//! unread rows in the same transaction. Redis caches that count ([`UnreadCounts`]), and rejects older values.

mod bulk;
mod default_text;
mod entry;
mod inbox;
mod payload;
mod store;
mod subscription;
mod text;
mod unread;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;
use utoipa::ToSchema;

pub use self::bulk::{Bulk, InvalidItems, Items};
use self::default_text::DefaultText;
pub use self::entry::{Entry, Recipient};
pub use self::inbox::{Filter, InboxItem, Marked, Selection};
pub use self::payload::{CommonFields, OfRequest, Plain, ToOwner, ToSigner};
use self::payload::{entry, of_request};
pub use self::store::{Error, NotificationResult, Notifications, Pushed, WriteOutcome};
pub use self::subscription::{KnownSubscription, Subscribed, Subscriptions};
pub use self::text::{ActionUrl, Data, Headline, InvalidActionUrl, InvalidData};
pub use self::unread::{UNREAD_COUNT, Unread, UnreadCounts};
use crate::service::key::Family;
use crate::service::mail::payload::Invalid;
use crate::service::mail::payload::decode;

/// All families of this service.
pub const KEYS: &[&Family] = &[&UNREAD_COUNT];

/// The types of notification, as named by `type`. `signtusk.notification_types` has the preference of each.
pub const TYPES: [&str; 10] = [
    "signature_request",
    "signature_completed",
    "document_expiry_warning",
    "document_expired",
    "sequential_signature_request",
    "reminder",
    "pdf_generation_completed",
    "system_notification",
    "bulk_notification",
    "general",
];

/// The payload of a notification job. Unknown members are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Notification {
    /// A signer is asked to sign.
    SignatureRequest(OfRequest<ToSigner>),
    /// A signer has signed.
    SignatureCompleted(OfRequest<ToOwner>),
    /// The deadline to sign is approaching.
    DocumentExpiryWarning(OfRequest<ToOwner>),
    /// The deadline to sign has passed.
    DocumentExpired(OfRequest<ToOwner>),
    /// A signer's turn to sign has come.
    SequentialSignatureRequest(OfRequest<ToSigner>),
    /// A signer is reminded to sign.
    Reminder(OfRequest<ToSigner>),
    /// The signed document can be downloaded.
    PdfGenerationCompleted(OfRequest<ToOwner>),
    /// A notification about the service itself.
    SystemNotification(Plain),
    /// Many notifications to many users.
    BulkNotification(Bulk),
    /// Any other notification.
    General(Plain),
}

impl Notification {
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
            "signature_request" => of_request(payload).map(Self::SignatureRequest),
            "signature_completed" => of_request(payload).map(Self::SignatureCompleted),
            "document_expiry_warning" => of_request(payload).map(Self::DocumentExpiryWarning),
            "document_expired" => of_request(payload).map(Self::DocumentExpired),
            "sequential_signature_request" => {
                of_request(payload).map(Self::SequentialSignatureRequest)
            }
            "reminder" => of_request(payload).map(Self::Reminder),
            "pdf_generation_completed" => of_request(payload).map(Self::PdfGenerationCompleted),
            "system_notification" => decode::from(payload).map(Self::SystemNotification),
            "bulk_notification" => decode::from(payload).map(Self::BulkNotification),
            "general" => decode::from(payload).map(Self::General),
            _ => Err(unknown_type()),
        }
    }

    /// Returns the type, as named by `type`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SignatureRequest(_) => "signature_request",
            Self::SignatureCompleted(_) => "signature_completed",
            Self::DocumentExpiryWarning(_) => "document_expiry_warning",
            Self::DocumentExpired(_) => "document_expired",
            Self::SequentialSignatureRequest(_) => "sequential_signature_request",
            Self::Reminder(_) => "reminder",
            Self::PdfGenerationCompleted(_) => "pdf_generation_completed",
            Self::SystemNotification(_) => "system_notification",
            Self::BulkNotification(_) => "bulk_notification",
            Self::General(_) => "general",
        }
    }

    /// Returns the rows to write: one, or many for a bulk.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let (kind, default) = (self.kind(), DefaultText::of(self));
        match self {
            Self::SignatureRequest(it)
            | Self::SequentialSignatureRequest(it)
            | Self::Reminder(it) => vec![entry(it, kind, &default)],
            Self::SignatureCompleted(it)
            | Self::DocumentExpiryWarning(it)
            | Self::DocumentExpired(it)
            | Self::PdfGenerationCompleted(it) => vec![entry(it, kind, &default)],
            Self::SystemNotification(it) | Self::General(it) => vec![it.entry(kind)],
            Self::BulkNotification(bulk) => {
                bulk.notifications.iter().map(|it| it.entry(kind)).collect()
            }
        }
    }
}

fn unknown_type() -> Invalid {
    Invalid::at("/type", format!("must be one of {}", TYPES.join(", ")))
}

impl<'de> Deserialize<'de> for Notification {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let payload = Value::deserialize(deserializer)?;
        Self::parse(&payload).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
