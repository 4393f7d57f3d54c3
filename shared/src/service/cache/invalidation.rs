//! Invalidation: deletes entries when their data has changed.
//!
//! Repeating an invalidation changes nothing, and a late one costs one read of the database.

use serde::Deserialize;

use super::id::Id;
use super::{AnyKind, Subject};
use crate::protocol::upstash::{self, Command, Redis};

/// The number of keys in one command.
const KEYS_AT_ONCE: usize = 500;

/// Entries that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, utoipa::ToSchema)]
#[schema(as = CacheGroup, rename_all = "lowercase")]
pub enum Group {
    /// All cached entries of a user, by user id.
    User,
    /// All cached entries of a domain.
    Domain,
}

impl Group {
    /// Returns the group with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "user" => Some(Self::User),
            "domain" => Some(Self::Domain),
            _ => None,
        }
    }

    /// Returns whether a group can have this id.
    #[must_use]
    pub fn may_have(self, id: &str) -> bool {
        Id::of(self.subject(), id).is_some()
    }

    fn subject(self) -> Subject {
        match self {
            Self::User => Subject::User,
            Self::Domain => Subject::Domain,
        }
    }

    fn keys(self, id: &str) -> Vec<String> {
        AnyKind::ALL
            .into_iter()
            .filter(|kind| kind.subject() == self.subject())
            .filter_map(|kind| kind.key(id))
            .collect()
    }
}

/// The payload of an outbox row: ids, for each kind.
#[derive(Debug, Deserialize)]
struct Row {
    kinds: Vec<String>,
    ids: Vec<String>,
}

pub(super) async fn invalidate(
    redis: &Redis,
    kind: AnyKind,
    id: &str,
) -> Result<(), upstash::Error> {
    forget(redis, kind.key(id).into_iter().collect()).await
}

pub(super) async fn invalidate_group(
    redis: &Redis,
    group: Group,
    id: &str,
) -> Result<(), upstash::Error> {
    forget(redis, group.keys(id)).await
}

/// Applies outbox rows that the triggers wrote. An unknown row is skipped: a later version may have written it, and
/// this one does not cache its kinds.
pub async fn apply<'a>(
    redis: &Redis,
    payloads: impl IntoIterator<Item = &'a str>,
) -> Result<(), upstash::Error> {
    let mut keys: Vec<String> = payloads.into_iter().flat_map(keys).collect();
    keys.sort_unstable();
    keys.dedup();
    forget(redis, keys).await
}

fn keys(payload: &str) -> Vec<String> {
    let Ok(row) = serde_json::from_str::<Row>(payload) else {
        tracing::error!("cache invalidation unreadable; skipped");
        return Vec::new();
    };
    let kinds = row.kinds.iter().filter_map(|name| AnyKind::named(name));
    kinds
        .flat_map(|kind| row.ids.iter().filter_map(move |id| kind.key(id)))
        .collect()
}

/// Deletes keys: the values with their generations.
async fn forget(redis: &Redis, keys: Vec<String>) -> Result<(), upstash::Error> {
    for some in keys.chunks(KEYS_AT_ONCE) {
        let delete = Command::new("DEL").args(some).repeatable();
        redis.run::<()>(delete).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Group, keys};

    #[test]
    fn invalidation_row_gives_a_key_for_every_kind_and_id() {
        let row = json!({ "kinds": ["domain-users", "domain-admins", "unknown"], "ids": ["Acme.example"] });
        assert_eq!(
            keys(&row.to_string()),
            ["domain_users:acme.example", "domain_admins:acme.example"]
        );
        for unreadable in [json!(null), json!({}), json!({ "kinds": "x", "ids": [] })] {
            assert!(keys(&unreadable.to_string()).is_empty(), "{unreadable}");
        }
    }

    #[test]
    fn group_names_every_entry_cached_under_its_id() {
        let user = Group::User.keys("u1");
        assert_eq!(
            user,
            ["user_profile:u1", "totp_config:u1", "notification_prefs:u1"]
        );
        assert_eq!(Group::Domain.keys("A.example").len(), 3);
        assert_eq!(Group::named("team"), None);
    }
}
