//! Unread counts, cached in Redis. Postgres counts.

use std::time::Duration;

use uuid::Uuid;

use crate::protocol::upstash::{self, Invocation, Redis, Script, key_locked};
use crate::service::key::Family;

/// How long a count is trusted: after this time, changes that bypass these functions become visible.
const LIFE: Duration = Duration::from_mins(5);

/// The count under the web app's key name, with a version that orders counts.
pub const UNREAD_COUNT: Family = Family {
    pattern: "unread_count:{userId}",
    kind: "hash",
    life: "5 minutes after the last change",
};

static GET: Script = Script::repeatable(key_locked!(include_str!("get_unread.lua")));
static SET: Script = Script::repeatable(key_locked!(include_str!("set_unread.lua")));

/// A user's unread count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// The number.
    pub count: i64,
    /// The version of the count: the greater version is later.
    pub version: i64,
}

/// The counts in Redis.
#[derive(Clone, Debug)]
pub struct UnreadCounts(Redis);

impl UnreadCounts {
    /// Returns the counts in `redis`.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self(redis)
    }

    /// Returns a user's count, if it is cached.
    pub async fn get(&self, user: Uuid) -> Result<Option<i64>, upstash::Error> {
        self.0.eval(Self::reading(user)).await
    }

    /// Stores a count from Postgres, unless a later one is cached. Returns the later of both.
    pub async fn set(&self, user: Uuid, unread: Unread) -> Result<i64, upstash::Error> {
        self.0.eval(Self::setting(user, unread)).await
    }

    /// Returns the call of [`Self::get`], to be sent together with others.
    #[must_use]
    pub fn reading(user: Uuid) -> Invocation {
        GET.invoke().key(UNREAD_COUNT.key(&user.to_string()))
    }

    /// Returns the call of [`Self::set`], to be sent together with others.
    #[must_use]
    pub fn setting(user: Uuid, unread: Unread) -> Invocation {
        SET.invoke()
            .key(UNREAD_COUNT.key(&user.to_string()))
            .arg(unread.count)
            .arg(unread.version)
            .arg(LIFE.as_millis())
    }
}
