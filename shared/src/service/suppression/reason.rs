//! Why an address gets no mail.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why an address gets no mail. All but `unsubscribed` hold for every kind of mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The recipient called a mail spam.
    Complained,
    /// The mailbox does not exist, or will never take our mail.
    Bounced,
    /// Somebody of ours put the address on the list.
    Manual,
    /// The recipient wants no optional mail, such as reminders.
    Unsubscribed,
}

/// The word is not that of a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of complained, bounced, manual, unsubscribed")]
pub struct UnknownReason;

impl Reason {
    /// Every reason, the weightiest first.
    pub const ALL: [Self; 4] = [
        Self::Complained,
        Self::Bounced,
        Self::Manual,
        Self::Unsubscribed,
    ];

    /// The word under which it stands in the database and in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Complained => "complained",
            Self::Bounced => "bounced",
            Self::Manual => "manual",
            Self::Unsubscribed => "unsubscribed",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Reason {
    type Err = UnknownReason;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.name() == name)
            .ok_or(UnknownReason)
    }
}
