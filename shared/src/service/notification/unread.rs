//! How many notifications a user has not read, as Redis holds it for a while. Postgres counts.

use std::time::Duration;

use uuid::Uuid;

use crate::protocol::upstash::{self, Invocation, Redis, Script, key_locked};
use crate::service::key::Family;

/// How long a count is believed: what the web app writes past these functions shows after this time.
const LIFE: Duration = Duration::from_mins(5);

/// The number under the name that the web app knows, with the version that tells which of two is the later.
pub const UNREAD_COUNT: Family = Family {
    pattern: "unread_count:{userId}",
    kind: "hash",
    life: "5 minutes after the last change",
};

static GET: Script = Script::repeatable(key_locked!(include_str!("get_unread.lua")));
static SET: Script = Script::repeatable(key_locked!(include_str!("set_unread.lua")));

/// How many notifications a user has not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// The number.
    pub count: i64,
    /// Which change made it so: of two numbers, that of the greater version is the later.
    pub version: i64,
}

/// The counts that Redis holds.
#[derive(Clone, Debug)]
pub struct UnreadCounts(Redis);

impl UnreadCounts {
    /// The counts in `redis`.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self(redis)
    }

    /// A user's count, if it is known.
    pub async fn get(&self, user: Uuid) -> Result<Option<i64>, upstash::Error> {
        self.0.eval(Self::reading(user)).await
    }

    /// Keeps a count that Postgres has given, unless a later one is known. Gives the later of both.
    pub async fn set(&self, user: Uuid, unread: Unread) -> Result<i64, upstash::Error> {
        self.0.eval(Self::setting(user, unread)).await
    }

    /// [`Self::get`], to travel with other calls.
    #[must_use]
    pub fn reading(user: Uuid) -> Invocation {
        GET.invoke().key(UNREAD_COUNT.key(&user.to_string()))
    }

    /// [`Self::set`], to travel with other calls.
    #[must_use]
    pub fn setting(user: Uuid, unread: Unread) -> Invocation {
        SET.invoke()
            .key(UNREAD_COUNT.key(&user.to_string()))
            .arg(unread.count)
            .arg(unread.version)
            .arg(LIFE.as_millis())
    }
}
