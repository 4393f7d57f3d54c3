//! Revoking sessions: permanently, and in Redis, which stops every reader at once.
//!
//! The tombstone in Redis is written after Postgres has the revocation, even if it was also written before. A reader
//! who loaded the session from Postgres a moment earlier then finds it. With a tombstone written only before, and lost
//! with Redis in between, that reader could restore the session.

use uuid::Uuid;

use super::ids::SessionId;
use super::intent::Intent;
use super::view::Viewer;
use super::{Error, MAX_TRIES, OF_USER, SESSION, Sessions, scripts};

/// The result of revoking a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// The session no longer exists.
    Done,
    /// The viewer may not see it.
    Hidden,
}

/// The result of revoking all sessions of a user but one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllRevoked {
    /// No other session exists any more.
    Done,
    /// The session to keep is not one of this user; nothing changed.
    ExceptUnknown,
}

impl Sessions {
    /// Revokes a session, even if it never existed.
    pub async fn revoke(&self, id: &SessionId, viewer: Viewer<'_>) -> Result<Revoked, Error> {
        let session_ids = [id.as_str().to_owned()];
        if viewer.user.is_some() && !self.may_revoke(id, viewer).await? {
            return Ok(Revoked::Hidden);
        }
        self.persist(&Intent::Revoke {
            session_ids: session_ids.to_vec(),
        })
        .await?;
        self.mark_revoked(&session_ids).await?;
        Ok(Revoked::Done)
    }

    /// Returns whether a viewer may revoke a session; if so, revokes it at once. An absent session belongs to no other
    /// user.
    async fn may_revoke(&self, id: &SessionId, viewer: Viewer<'_>) -> Result<bool, Error> {
        let [user, domain] = viewer.arguments();
        let call = scripts::REVOKE
            .invoke()
            .key(SESSION.key(id.as_str()))
            .arg(user)
            .arg(domain);
        let answer: Vec<String> = self.redis.eval(call).await?;
        match answer.first().map(String::as_str) {
            Some("revoked") => Ok(true),
            Some("hidden") => Ok(false),
            Some("unknown") => {
                let found = self.archive.find(id.as_str()).await?;
                Ok(found.is_none_or(|record| viewer.may_see(&record)))
            }
            _ => Err(Error::Unreadable("the answer of a script")),
        }
    }

    /// Revokes all sessions of a user that exist now, except one. If that one is not a session of this user, nothing
    /// changes: the caller has passed a wrong id.
    pub async fn revoke_all(
        &self,
        user: Uuid,
        except: Option<&SessionId>,
    ) -> Result<AllRevoked, Error> {
        let index = OF_USER.key(&user.to_string());
        for _ in 0..MAX_TRIES {
            let kept = except.map_or("", SessionId::as_str);
            let call = scripts::REVOKE_ALL.invoke().key(&index).arg(kept);
            let answer: Vec<String> = self.redis.eval(call).await?;
            let (first, ids) = answer
                .split_first()
                .ok_or(Error::Unreadable("the answer of a script"))?;
            match (first.as_str(), except) {
                ("foreign", _) => return Ok(AllRevoked::ExceptUnknown),
                ("unknown", Some(kept)) => {
                    if self.read_and_use(kept, Viewer::ALL, None).await?.is_none() {
                        return Ok(AllRevoked::ExceptUnknown);
                    }
                }
                (at, _) => {
                    self.revoked_by(user, kept, at, ids).await?;
                    return Ok(AllRevoked::Done);
                }
            }
        }
        Err(Error::Contended)
    }

    /// Persists the revocation, and revokes in Redis the ids that Postgres had: a reader may be copying them to Redis.
    async fn revoked_by(
        &self,
        user: Uuid,
        except: &str,
        at: &str,
        ids: &[String],
    ) -> Result<(), Error> {
        let intent = Intent::RevokeUser {
            user_id: user,
            except: except.to_owned(),
            at: at.parse().map_err(|_| Error::Unreadable("an instant"))?,
            session_ids: ids.to_vec(),
        };
        let mut gone = self.persist(&intent).await?.also;
        gone.extend_from_slice(ids);
        self.mark_revoked(&gone).await
    }
}
