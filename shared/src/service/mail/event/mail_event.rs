//! Events of mail providers, in provider-independent terms.

use jiff::Timestamp;

use crate::protocol::mail::{EmailAddress, Provider};
use crate::service::mail::suppression::Reason;

/// One event of one mail. Only a verified message may become one.
#[derive(Clone, Debug)]
pub struct MailEvent {
    /// The provider that reports it.
    pub provider: Provider,
    /// The provider's id of the event; a repeated event has the same id.
    pub event_id: String,
    /// The ledger key in the mail's tag: 64 lower-case hex digits. Any other tag counts as absent.
    pub key: Option<String>,
    /// The provider's id of the mail; empty if it gives none.
    pub message_id: String,
    /// The type of the event.
    pub kind: EventKind,
    /// The time, by the provider's clock.
    pub at: Timestamp,
    /// The affected addresses: of a bounce or a complaint, those that bounced or complained.
    pub recipients: Vec<EmailAddress>,
    /// The provider's message, such as the receiving server's answer. It may contain addresses: it is stored in the
    /// database and not logged.
    pub detail: Option<String>,
}

/// The type of a mail event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// The provider accepted it.
    Sent,
    /// The recipient's server accepted it.
    Delivered,
    /// The recipient's server has not accepted it yet; the provider keeps trying.
    Delayed,
    /// It bounced.
    Bounced {
        /// Whether the bounce is permanent.
        permanent: bool,
    },
    /// The recipient reported it as spam.
    Complained,
    /// It was opened.
    Opened,
    /// A link in it was clicked.
    Clicked,
    /// The provider accepted it, but did not send it.
    Failed,
}

impl EventKind {
    /// Returns its name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Delayed => "delayed",
            Self::Bounced { permanent: true } => "bounced",
            Self::Bounced { permanent: false } => "soft-bounced",
            Self::Complained => "complained",
            Self::Opened => "opened",
            Self::Clicked => "clicked",
            Self::Failed => "failed",
        }
    }

    /// Returns the reason for which its recipients are suppressed, if there is one.
    pub(super) fn suppresses(self) -> Option<Reason> {
        match self {
            Self::Bounced { permanent: true } => Some(Reason::Bounced),
            Self::Complained => Some(Reason::Complained),
            _ => None,
        }
    }
}
