//! Creating a session at login.

use jiff::Timestamp;
use uuid::Uuid;

use super::device::Device;
use super::ids::{RefreshToken, SessionId};
use super::intent::{Intent, mark_revoked, persist};
use super::record::Record;
use super::view::at;
use super::{Error, IDLE, MAX_LIFETIME, MAX_SESSIONS, OF_USER, SESSION, Sessions, scripts};
use crate::base::causes::causes;
use crate::protocol::mail::EmailAddress;

/// A session to be created.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Its user.
    pub user_id: Uuid,
    /// The user's address.
    pub email: EmailAddress,
    /// The first refresh token.
    pub token: RefreshToken,
    /// The device of the login.
    pub device: Device,
    /// The IP address of the login.
    pub ip_address: Option<String>,
}

/// The result of the creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// The session was created.
    New {
        /// When it was created.
        created_at: Timestamp,
        /// When it expires if it is not used.
        expires_at: Timestamp,
    },
    /// The id is, or was, the id of another session.
    Taken,
}

pub(super) async fn create(sessions: &Sessions, new: &NewSession) -> Result<Created, Error> {
    match create_in_redis(sessions, new).await {
        Ok(None) => Ok(Created::Taken),
        Ok(Some((created_at, evicted))) => persist_new(sessions, new, created_at, evicted).await,
        Err(Error::Store(error)) => {
            tracing::warn!(
                error = causes(&error),
                "Redis unavailable; session written to Postgres only"
            );
            create_in_archive(sessions, new).await
        }
        Err(error) => Err(error),
    }
}

/// Creates it in Redis. Returns its creation time by Redis's clock, and the ids that were revoked because of the
/// limit.
async fn create_in_redis(
    sessions: &Sessions,
    new: &NewSession,
) -> Result<Option<(i64, Vec<String>)>, Error> {
    let device = serde_json::to_string(&new.device).map_err(|_| Error::Unreadable("device"))?;
    let user = new.user_id.to_string();
    let call = scripts::CREATE
        .invoke()
        .key(SESSION.key(new.id.as_str()))
        .key(OF_USER.key(&user))
        .arg(new.id.as_str())
        .arg(&user)
        .arg(new.email.as_str())
        .arg(new.token.hash())
        .arg(new.ip_address.as_deref().unwrap_or_default())
        .arg(device)
        .arg(MAX_SESSIONS);
    let mut answer = sessions.redis.eval::<Vec<String>>(call).await?.into_iter();
    match (answer.next().as_deref(), answer.next()) {
        (Some("taken"), _) => Ok(None),
        (Some("created"), Some(created)) => {
            let created = created.parse();
            let created = created.map_err(|_| Error::Unreadable("an instant"))?;
            Ok(Some((created, answer.collect())))
        }
        _ => Err(Error::Unreadable("the answer of a script")),
    }
}

/// Persists the new session. A session that cannot be persisted is not created.
async fn persist_new(
    sessions: &Sessions,
    new: &NewSession,
    created_at: i64,
    evicted: Vec<String>,
) -> Result<Created, Error> {
    let session = new.record(created_at);
    let mut gone = evicted.clone();
    let intent = Intent::Save {
        session,
        evicted,
        is_new: true,
    };
    match persist(sessions, &intent).await {
        Ok(saved) if saved.revoked || saved.differs => {
            if discard(sessions, new).await {
                return Ok(Created::Taken);
            }
            // All sessions of the user were revoked during this login: the session was created, and has ended.
            created(created_at)
        }
        Ok(saved) => {
            gone.extend(saved.also);
            mark_revoked(sessions, &gone).await?;
            created(created_at)
        }
        Err(error) => {
            discard(sessions, new).await;
            Err(error)
        }
    }
}

/// Creates it without Redis. The next read copies it to Redis.
async fn create_in_archive(sessions: &Sessions, new: &NewSession) -> Result<Created, Error> {
    let created_at = sessions.clock.now().as_millisecond();
    let record = new.record(created_at);
    let saved = sessions.archive.save(super::archive::Save {
        record: &record,
        evicted: &[],
        max_others: None,
        is_new: true,
    });
    let saved = saved.await?;
    if saved.revoked || saved.differs {
        return Ok(Created::Taken);
    }
    created(created_at)
}

/// Discards an unconfirmed session; false if it was revoked meanwhile. If this fails, the session expires unused.
async fn discard(sessions: &Sessions, new: &NewSession) -> bool {
    let call = scripts::DISCARD
        .invoke()
        .key(SESSION.key(new.id.as_str()))
        .key(OF_USER.key(&new.user_id.to_string()))
        .arg(new.id.as_str())
        .arg(new.token.hash());
    match sessions.redis.eval::<i64>(call).await {
        Ok(taken_back) => taken_back == 1,
        Err(error) => {
            tracing::warn!(
                error = causes(&error),
                "session not removed from Redis; it expires unused"
            );
            true
        }
    }
}

impl NewSession {
    fn record(&self, created_at: i64) -> Record {
        Record {
            session_id: self.id.as_str().to_owned(),
            user_id: self.user_id.to_string(),
            email: self.email.as_str().to_owned(),
            refresh_hash: self.token.hash().to_owned(),
            created_at,
            last_used_at: created_at,
            ends_at: created_at + MAX_LIFETIME,
            version: 1,
            ip_address: self.ip_address.clone(),
            user_agent: self.device.user_agent.clone(),
            device: Some(self.device.clone()),
            totp_verified_at: None,
            totp_context: None,
            rotated: String::new(),
            rotated_at: None,
        }
    }
}

fn created(created_at: i64) -> Result<Created, Error> {
    Ok(Created::New {
        created_at: at(created_at)?,
        expires_at: at(created_at + IDLE)?,
    })
}
