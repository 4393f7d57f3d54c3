//! Sessions: served by Redis, kept in Postgres, and never there again once they are revoked.
//!
//! Every decision is one Lua script at Redis, by Redis's time; what it decided is then written to Postgres, or, where
//! Postgres does not answer, handed to the queue as an [`Intent`] that `persist-session` carries out. Nothing is
//! acknowledged before one of the two has it. What Redis does not know is read from Postgres in one statement and put
//! back, under a ticket that a revocation takes away: a reader who was on his way cannot bring back what was revoked.
//!
//! | down | reads | logins | refreshes, second factors, revocations |
//! |---|---|---|---|
//! | Redis | from Postgres | into Postgres | refused: Redis would not know of them when it is back |
//! | Postgres | from Redis | Redis and the queue | Redis and the queue |
//!
//! `lua/session.lua` says how a session stands in Redis.

mod archive;
mod create;
mod device;
mod ids;
mod intent;
mod list;
mod read;
mod record;
mod refresh;
mod revoke;
mod scripts;
mod totp;
mod view;

pub use create::{Created, NewSession};
pub use device::{Device, DeviceType};
pub use ids::{InvalidSessionId, InvalidToken, RefreshToken, SessionId};
pub use intent::Intent;
pub use list::Listed;
pub use record::Record;
pub use refresh::Refreshed;
pub use revoke::{AllRevoked, Revoked};
pub use scripts::DIRECT_READ;
pub use totp::Context;
pub use view::{Session, Totp, Viewer};

use self::archive::Archive;
use crate::base::clock::Clock;
use crate::protocol::postgres::{self, Postgres};
use crate::protocol::upstash::{self, Redis};
use crate::service::job::{self, Jobs, Publisher};
use crate::service::key::Family;

/// Without use a session ends after this, in milliseconds; `lua/session.lua` has the same.
const IDLE: i64 = 7 * 86_400_000;

/// And whatever its use, after this.
const MAX_LIFETIME: i64 = 30 * 86_400_000;

/// Sessions of a user at most: the one that was used least recently goes.
const MAX_SESSIONS: i64 = 10;

/// How often something that others keep changing is tried again.
const MAX_TRIES: usize = 3;

/// One session.
pub const SESSION: Family = Family {
    pattern: "session:{sessionId}",
    kind: "hash",
    life: "until the session ends: 7 days after its last use, 30 after its beginning; revoked: as long as it could have lived",
};

/// The ids of a user's sessions, and when all of them were last revoked.
pub const OF_USER: Family = Family {
    pattern: "user_sessions:{userId}",
    kind: "hash",
    life: "31 days after the last login; one field for each of at most 10 sessions, and for ended ones until the next login",
};

/// Who used a session on a day (UTC).
pub const ACTIVE_USERS: Family = Family {
    pattern: "active_users:{date}",
    kind: "set",
    life: "35 days",
};

/// All families of this service.
pub const KEYS: &[&Family] = &[&SESSION, &OF_USER, &ACTIVE_USERS];

/// Why nothing can be said of a session, or nothing done to it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Redis has to decide this and does not answer.
    #[error("the sessions in Redis are unavailable")]
    Store(#[from] upstash::Error),
    /// Redis does not know the session, and Postgres does not answer.
    #[error("the sessions in Postgres are unavailable")]
    Archive(#[from] postgres::Error),
    /// Redis has decided, but Postgres does not answer and the queue does not take the decision. The same call again goes
    /// on from there.
    #[error("the change was saved neither in Postgres nor in QStash")]
    Queue(#[source] job::Error),
    /// The same, because the jobs that would write it to Postgres are paused.
    #[error("Postgres is unavailable and persist-session is paused")]
    Paused,
    /// Others keep changing the session.
    #[error("the session is being changed by other requests")]
    Contended,
    /// A store holds what this version does not understand.
    #[error("a session is unreadable: {0}")]
    Unreadable(&'static str),
}

/// All sessions.
#[derive(Clone, Debug)]
pub struct Sessions {
    redis: Redis,
    archive: Archive,
    jobs: Jobs,
    publisher: Publisher,
    clock: Clock,
}

impl Sessions {
    /// Sessions in these stores; what the database does not take goes through `publisher`.
    #[must_use]
    pub fn new(redis: Redis, postgres: Postgres, publisher: Publisher) -> Self {
        Self {
            jobs: Jobs::new(redis.clone()),
            redis,
            archive: Archive::new(postgres),
            publisher,
            clock: Clock::system(),
        }
    }
}
