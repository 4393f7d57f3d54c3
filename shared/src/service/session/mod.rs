//! Sessions: served by Redis, persisted in Postgres, and never restored after a revocation.
//!
//! One Lua script in Redis makes each decision, by Redis's time. The decision is then written to Postgres. If Postgres
//! is unavailable, it is published to the queue as an [`Intent`], which `persist-session` applies. No request is
//! acknowledged before one of the two has the decision. A session that Redis does not have is read from Postgres with
//! one statement, and copied to Redis under a ticket. A revocation deletes the ticket, so a concurrent reader cannot
//! restore a revoked session.
//!
//! | outage of | reads | logins | refreshes, second factors, revocations |
//! |---|---|---|---|
//! | Redis | from Postgres | to Postgres | rejected: Redis would miss them after the outage |
//! | Postgres | from Redis | Redis and the queue | Redis and the queue |
//!
//! `lua/session.lua` describes the format of a session in Redis.

mod archive;
mod create;
mod device;
mod fill;
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

use uuid::Uuid;

use self::archive::Archive;
use crate::base::clock::Clock;
use crate::protocol::postgres::{self, Postgres};
use crate::protocol::upstash::{self, Redis};
use crate::service::job::{self, Jobs, Publisher};
use crate::service::key::Family;

/// How long an unused session lives, in milliseconds; `lua/session.lua` has the same.
const IDLE: i64 = 7 * 86_400_000;

/// How long any session lives at most, in milliseconds.
const MAX_LIFETIME: i64 = 30 * 86_400_000;

/// The session limit of a user: the least recently used session is revoked first.
const MAX_SESSIONS: i64 = 10;

/// How often an operation is retried after concurrent changes.
const MAX_TRIES: usize = 3;

/// One session.
pub const SESSION: Family = Family {
    pattern: "session:{sessionId}",
    kind: "hash",
    life: "until the session ends: 7 days after its last use, 30 after its creation; revoked: until it would have ended",
};

/// The ids of a user's sessions, and the last revocation of all of them.
pub const OF_USER: Family = Family {
    pattern: "user_sessions:{userId}",
    kind: "hash",
    life: "31 days after the last login; one field for each of at most 10 sessions, and for ended ones until the next login",
};

/// The users who used a session on a day (UTC).
pub const ACTIVE_USERS: Family = Family {
    pattern: "active_users:{date}",
    kind: "set",
    life: "35 days",
};

/// All families of this service.
pub const KEYS: &[&Family] = &[&SESSION, &OF_USER, &ACTIVE_USERS];

/// Why a session operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Redis has to decide this and is unavailable.
    #[error("the sessions in Redis are unavailable")]
    Store(#[from] upstash::Error),
    /// Redis does not have the session, and Postgres is unavailable.
    #[error("the sessions in Postgres are unavailable")]
    Archive(#[from] postgres::Error),
    /// Redis has decided, but neither Postgres nor the queue accepted the decision. The same call again continues from
    /// there.
    #[error("the change was saved neither in Postgres nor in QStash")]
    Queue(#[source] job::Error),
    /// The same, because the jobs that write to Postgres are paused.
    #[error("Postgres is unavailable and persist-session is paused")]
    Paused,
    /// Concurrent requests keep changing the session.
    #[error("the session is being changed by other requests")]
    Contended,
    /// A store contains a value that this version cannot read.
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
    /// Returns the sessions in these stores; `publisher` publishes decisions that the database did not accept.
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

    /// Creates a session. The same call with the same token gives the same answer.
    pub async fn create(&self, new: &NewSession) -> Result<Created, Error> {
        create::create(self, new).await
    }

    /// Returns the session as JSON, see [`Session`]. None if it does not exist, or if `viewer` may not see it. With a
    /// maximum age of the second factor (seconds), the JSON says whether it is fresh.
    ///
    /// The first request only looks: it may be sent together with the guard's check, and a rejected caller must leave
    /// no ticket and no use. Usually it is the only request.
    pub async fn read(
        &self,
        id: &SessionId,
        viewer: Viewer<'_>,
        totp_max_age: Option<u32>,
    ) -> Result<Option<String>, Error> {
        read::read(self, id, viewer, totp_max_age).await
    }

    /// Replaces a session's refresh token with the next one. Of several callers with the same token, exactly one gets
    /// [`Refreshed::Rotated`]. The same call again gives the same answer.
    pub async fn refresh(
        &self,
        id: &SessionId,
        viewer: Viewer<'_>,
        given: &RefreshToken,
        next: &RefreshToken,
    ) -> Result<Refreshed, Error> {
        refresh::refresh(self, id, viewer, given, next).await
    }

    /// Records that a second factor was verified in a context, or (none) that it no longer is. Returns the session as
    /// JSON.
    pub async fn set_totp(
        &self,
        id: &SessionId,
        viewer: Viewer<'_>,
        proven: Option<Context>,
    ) -> Result<Option<String>, Error> {
        totp::set_totp(self, id, viewer, proven).await
    }

    /// Returns the sessions of a user. Postgres has all of them, and Redis knows which are live; either one is
    /// sufficient.
    pub async fn list(&self, user: Uuid, current: Option<&SessionId>) -> Result<Listed, Error> {
        list::list(self, user, current).await
    }

    /// Revokes a session, even if it never existed.
    pub async fn revoke(&self, id: &SessionId, viewer: Viewer<'_>) -> Result<Revoked, Error> {
        revoke::revoke(self, id, viewer).await
    }

    /// Revokes all sessions of a user that exist now, except one. If that one is not a session of this user, nothing
    /// changes: the caller has passed a wrong id.
    pub async fn revoke_all(
        &self,
        user: Uuid,
        except: Option<&SessionId>,
    ) -> Result<AllRevoked, Error> {
        revoke::revoke_all(self, user, except).await
    }

    /// Applies an intent from the queue: in Postgres and, because Redis may have lost it meanwhile, in Redis.
    pub async fn settle(&self, intent: &Intent) -> Result<(), Error> {
        intent::settle(self, intent).await
    }
}
