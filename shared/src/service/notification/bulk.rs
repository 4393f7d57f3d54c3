//! Many notifications in one request.

use std::ops::Deref;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::payload::Plain;
use crate::service::job::parts;

/// The largest number of notifications of one request.
const MAX_ITEMS: usize = 10_000;

/// Many notifications, each to one user.
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

/// Why a list of notifications is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must contain 1 to {MAX_ITEMS} notifications, not {0}")]
pub struct InvalidItems(usize);

impl Bulk {
    /// The number of notifications of one job.
    pub const PER_JOB: usize = 100;

    /// Splits them into jobs of at most [`Self::PER_JOB`] notifications and
    /// [`PART_BYTES`](crate::service::job::PART_BYTES), in order.
    #[must_use]
    pub fn split(self) -> Vec<Self> {
        let jobs = parts(&self.notifications.0, Self::PER_JOB);
        jobs.into_iter()
            .map(|chunk| Self {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Bulk;
    use crate::service::job::PART_BYTES;

    #[test]
    fn large_notifications_are_split_into_more_jobs_without_loss() {
        let item = |n: usize| {
            json!({
                "userId": "01985c00-0000-7000-8000-000000000001", "title": format!("No. {n}"),
                "message": "M", "data": { "text": "x".repeat(16_000) },
            })
        };
        let items: Vec<_> = (0..100).map(item).collect();
        let bulk: Bulk = serde_json::from_value(json!({ "notifications": items })).unwrap();
        let all = bulk.notifications.to_vec();
        let jobs = bulk.split();
        assert!(jobs.len() > 3, "{}", jobs.len());
        for job in &jobs {
            assert!(serde_json::to_vec(job).unwrap().len() < PART_BYTES + 100);
        }
        let split: Vec<_> = jobs
            .iter()
            .flat_map(|job| job.notifications.to_vec())
            .collect();
        assert_eq!(split, all);
    }
}
