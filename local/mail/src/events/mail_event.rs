//! What can happen to a mail.

use jiff::Timestamp;
use serde::Serialize;

/// One step in a mail's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailEvent {
    /// The provider sends it.
    Sent,
    /// The recipient's server took it.
    Delivered,
    /// The recipient's server does not take it yet.
    Delayed,
    /// It came back: for good, or because a mailbox is full.
    Bounced {
        /// Whether the address will never work.
        permanent: bool,
    },
    /// It was not sent: the address is on the provider's own suppression list.
    Suppressed,
    /// The recipient calls it spam.
    Complained,
    /// The recipient looked at it.
    Opened,
    /// The recipient followed a link.
    Clicked,
    /// The provider took it and will not send it, for what is in it.
    Rejected,
}

impl MailEvent {
    /// A word for it.
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

/// Something that happened to a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    /// What.
    pub what: &'static str,
    /// To whom: plain addresses.
    pub recipients: Vec<String>,
    /// When.
    pub at: Timestamp,
}
