//! The reasons of a suppression.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The reason of a suppression. All but `unsubscribed` apply to every kind of mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The recipient reported a mail as spam.
    Complained,
    /// The mailbox does not exist or rejects our mail permanently.
    Bounced,
    /// An administrator suppressed the address.
    Manual,
    /// The recipient opted out of optional mail, such as reminders.
    Unsubscribed,
}

/// The text is not the name of a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of complained, bounced, manual, unsubscribed")]
pub struct UnknownReason;

impl Reason {
    /// All reasons, the most important first.
    pub const ALL: [Self; 4] = [
        Self::Complained,
        Self::Bounced,
        Self::Manual,
        Self::Unsubscribed,
    ];

    /// Returns its name in the database and in the API.
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
