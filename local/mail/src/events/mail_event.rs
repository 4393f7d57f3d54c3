//! The events of a mail.

use jiff::Timestamp;
use serde::Serialize;

/// One event of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailEvent {
    /// The provider sent it.
    Sent,
    /// The recipient's server accepted it.
    Delivered,
    /// The recipient's server has not accepted it yet.
    Delayed,
    /// It bounced: permanently, or because a mailbox is full.
    Bounced {
        /// Whether the bounce is permanent.
        permanent: bool,
    },
    /// It was not sent: the address is on the provider's own suppression list.
    Suppressed,
    /// The recipient reported it as spam.
    Complained,
    /// The recipient opened it.
    Opened,
    /// The recipient clicked a link.
    Clicked,
    /// The provider accepted it and rejected it later because of its content.
    Rejected,
}

impl MailEvent {
    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Delayed => "delayed",
            Self::Bounced { .. } => "bounced",
            Self::Suppressed => "suppressed",
            Self::Complained => "complained",
            Self::Opened => "opened",
            Self::Clicked => "clicked",
            Self::Rejected => "rejected",
        }
    }
}

/// A recorded event of a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    /// The name of the event.
    pub what: &'static str,
    /// The plain addresses of its recipients.
    pub recipients: Vec<String>,
    /// The time of the event.
    pub at: Timestamp,
}
