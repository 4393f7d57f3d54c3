//! Many notifications in one request.

use std::ops::Deref;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::payload::Plain;

/// How many notifications one request may hold.
const MAX_ITEMS: usize = 10_000;

/// Many notifications, each to a user of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = BulkNotification)]
pub struct Bulk {
    /// The notifications.
    pub notifications: Items,
}

/// The notifications: 1 to 10,000.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Vec<Plain>", into = "Vec<Plain>")]
#[schema(as = BulkNotificationItems, value_type = Vec<Plain>, min_items = 1, max_items = 10_000)]
pub struct Items(Vec<Plain>);

/// Why a list of notifications is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must hold 1 to {MAX_ITEMS} notifications, not {0}")]
pub struct InvalidItems(usize);

impl Bulk {
    /// How many notifications one job has.
    pub const PER_JOB: usize = 100;

    /// The same in jobs of at most [`Self::PER_JOB`] notifications, in their order.
    #[must_use]
    pub fn split(self) -> Vec<Self> {
        let jobs = self.notifications.0.chunks(Self::PER_JOB);
        jobs.map(|chunk| Self {
            notifications: Items(chunk.to_vec()),
        })
        .collect()
    }
}

impl Deref for Items {
    type Target = [Plain];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl TryFrom<Vec<Plain>> for Items {
    type Error = InvalidItems;

    fn try_from(items: Vec<Plain>) -> Result<Self, InvalidItems> {
        if (1..=MAX_ITEMS).contains(&items.len()) {
            Ok(Self(items))
        } else {
            Err(InvalidItems(items.len()))
        }
    }
}

impl From<Items> for Vec<Plain> {
    fn from(items: Items) -> Self {
        items.0
    }
}
