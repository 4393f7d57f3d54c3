//! What a provider reports of a mail, in words that no provider owns.

use jiff::Timestamp;

use crate::protocol::mail::{EmailAddress, Provider};
use crate::service::mail::suppression::Reason;

/// One event of one mail. Only a verified message may become one.
#[derive(Clone, Debug)]
pub struct MailEvent {
    /// Who reports it.
    pub provider: Provider,
    /// The provider's own name of the event: the same event comes under the same name again.
    pub event_id: String,
    /// The ledger key that the mail was tagged with: 64 lower-case hex digits. Anything else counts as absent.
    pub key: Option<String>,
    /// The provider's id of the mail; empty where it gives none.
    pub message_id: String,
    /// What happened.
    pub kind: EventKind,
    /// When, by the provider's clock.
    pub at: Timestamp,
    /// Whom it concerns: of a bounce or a complaint, the addresses that bounced or complained.
    pub recipients: Vec<EmailAddress>,
    /// The provider's words, such as the receiving server's answer. They may hold addresses: they are kept in the
    /// database and not logged.
    pub detail: Option<String>,
}

/// What can happen to a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// The provider took it.
    Sent,
    /// The recipient's server took it.
    Delivered,
    /// The recipient's server does not take it yet; the provider goes on trying.
    Delayed,
    /// It came back.
    Bounced {
        /// Whether the mailbox will never take it.
        permanent: bool,
    },
    /// The recipient called it spam.
    Complained,
    /// It was opened.
    Opened,
    /// A link in it was followed.
    Clicked,
    /// The provider took it and then did not send it.
    Failed,
}

impl EventKind {
    /// The word under which it stands in the database.
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

    /// Why its recipients get no more mail, if they do not.
    pub(super) fn suppresses(self) -> Option<Reason> {
        match self {
            Self::Bounced { permanent: true } => Some(Reason::Bounced),
            Self::Complained => Some(Reason::Complained),
            _ => None,
        }
    }
}
