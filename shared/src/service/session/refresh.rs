//! Exchanging refresh tokens.

use super::ids::{RefreshToken, SessionId};
use super::intent::Intent;
use super::record::{HALF_HASH, Record};
use super::view::Viewer;
use super::{Error, MAX_TRIES, OF_USER, SESSION, Sessions, scripts};
use crate::base::causes::causes;
use crate::protocol::upstash::Command;

/// How long the previous token is still known as that of a caller who was as quick as another, in milliseconds.
const GRACE: i64 = 10_000;

/// How many former tokens are remembered, to tell one that comes back from one that never was. With access tokens of a
/// quarter of an hour these are those of half a day.
const REMEMBERED: usize = 64;

// What the script keeps of each.
const _: () = assert!(HALF_HASH == 32);

/// What a refresh token met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// It was the present one; the next one is the present one now.
    Rotated,
    /// It was exchanged a moment ago by somebody as quick: that one's token holds.
    Kept,
    /// It was exchanged before: somebody has a copy. The session is revoked.
    Reused,
    /// It never was this session's.
    Invalid,
    /// The token that was to follow had been exchanged before.
    Stale,
    /// There is no such session.
    Gone,
}

impl Sessions {
    /// Exchanges a session's refresh token for the next one. Of any number of callers with the same token exactly one
    /// gets [`Refreshed::Rotated`]; the same call again gives the same answer.
    pub async fn refresh(
        &self,
        id: &SessionId,
        viewer: Viewer<'_>,
        given: &RefreshToken,
        next: &RefreshToken,
    ) -> Result<Refreshed, Error> {
        for _ in 0..MAX_TRIES {
            let [user, domain] = viewer.words();
            let call = scripts::REFRESH
                .invoke()
                .key(SESSION.key(id.as_str()))
                .arg(given.hash())
                .arg(next.hash())
                .arg(GRACE)
                .arg(REMEMBERED)
                .arg(user)
                .arg(domain);
            let answer: Vec<String> = self.redis.eval(call).await?;
            let (word, rest) = answer
                .split_first()
                .ok_or(Error::Unreadable("the answer of a script"))?;
            match word.as_str() {
                "rotated" => {
                    let record = Record::from_fields(id.as_str(), rest)?;
                    return Ok(if self.save(record).await? {
                        Refreshed::Rotated
                    } else {
                        Refreshed::Gone
                    });
                }
                "kept" => return Ok(Refreshed::Kept),
                "stale" => return Ok(Refreshed::Stale),
                "gone" => return Ok(Refreshed::Gone),
                "reused" => {
                    let session_ids = vec![id.as_str().to_owned()];
                    self.persist(&Intent::Revoke {
                        session_ids: session_ids.clone(),
                    })
                    .await?;
                    self.mark_revoked(&session_ids).await?;
                    if let Some(user) = rest.first() {
                        self.forget(user, id).await;
                    }
                    return Ok(Refreshed::Reused);
                }
                "miss" => {
                    if self.read_and_use(id, viewer, None).await?.is_none() {
                        return Ok(Refreshed::Gone);
                    }
                }
                "former" => match self.archive.find(id.as_str()).await? {
                    Some(record) => self.renew(&record).await?,
                    // The web app took the row away at logout, and left the string.
                    None => return Ok(Refreshed::Invalid),
                },
                "invalid" => {
                    if !self.is_behind(id, rest.first()).await? {
                        return Ok(Refreshed::Invalid);
                    }
                }
                _ => return Err(Error::Unreadable("the answer of a script")),
            }
        }
        Err(Error::Contended)
    }

    /// Takes a revoked session out of its user's index. What fails is left to the next login.
    async fn forget(&self, user: &str, id: &SessionId) {
        let gone = Command::new("HDEL").arg(OF_USER.key(user)).arg(id.as_str());
        if let Err(error) = self.redis.run::<()>(gone.repeatable()).await {
            tracing::warn!(
                error = causes(&error),
                "session index not cleaned; the next login cleans it"
            );
        }
    }

    /// Whether Redis has lost a change that Postgres has, as after a failover; then it has it now. Only asked of a token
    /// that Redis does not know.
    async fn is_behind(&self, id: &SessionId, version: Option<&String>) -> Result<bool, Error> {
        let version = version.and_then(|version| version.parse::<i64>().ok());
        let found = self
            .archive
            .find(id.as_str())
            .await
            .unwrap_or_else(|error| {
                tracing::warn!(
                    error = causes(&error),
                    "Postgres unavailable; refresh token rejected by Redis alone"
                );
                None
            });
        match (found, version) {
            (Some(record), Some(version)) if record.version > version => {
                self.renew(&record).await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Makes a change last. False if the session turns out to be revoked.
    pub(super) async fn save(&self, session: Record) -> Result<bool, Error> {
        let id = session.session_id.clone();
        let intent = Intent::Save {
            session,
            evicted: Vec::new(),
            is_new: false,
        };
        let saved = self.persist(&intent).await?;
        if saved.revoked {
            self.mark_revoked(&[id]).await?;
        }
        Ok(!saved.revoked)
    }
}
