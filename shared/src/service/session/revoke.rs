//! Revoking sessions: permanently, and in Redis, which stops every reader at once.
//!
//! The tombstone in Redis is written after Postgres has the revocation, even if it was also written before. A reader
//! who loaded the session from Postgres a moment earlier then finds it. With a tombstone written only before, and lost
//! with Redis in between, that reader could restore the session.

use uuid::Uuid;

use super::ids::SessionId;
use super::intent::{Intent, mark_revoked, persist};
use super::read::read_and_use;
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

pub(super) async fn revoke(
    sessions: &Sessions,
    id: &SessionId,
    viewer: Viewer<'_>,
) -> Result<Revoked, Error> {
    let session_ids = [id.as_str().to_owned()];
    if viewer.user.is_some() && !may_revoke(sessions, id, viewer).await? {
        return Ok(Revoked::Hidden);
    }
    persist(
        sessions,
        &Intent::Revoke {
            session_ids: session_ids.to_vec(),
        },
    )
    .await?;
    mark_revoked(sessions, &session_ids).await?;
    Ok(Revoked::Done)
}

/// Returns whether a viewer may revoke a session; if so, revokes it at once. An absent session belongs to no other
/// user.
async fn may_revoke(
    sessions: &Sessions,
    id: &SessionId,
    viewer: Viewer<'_>,
) -> Result<bool, Error> {
    let [user, domain] = viewer.arguments();
    let call = scripts::REVOKE
        .invoke()
        .key(SESSION.key(id.as_str()))
        .arg(user)
        .arg(domain);
    let answer: Vec<String> = sessions.redis.eval(call).await?;
    match answer.first().map(String::as_str) {
        Some("revoked") => Ok(true),
        Some("hidden") => Ok(false),
        Some("unknown") => {
            let found = sessions.archive.find(id.as_str()).await?;
            Ok(found.is_none_or(|record| viewer.may_see(&record)))
        }
        _ => Err(Error::Unreadable("the answer of a script")),
    }
}

pub(super) async fn revoke_all(
    sessions: &Sessions,
    user: Uuid,
    except: Option<&SessionId>,
) -> Result<AllRevoked, Error> {
    let index = OF_USER.key(&user.to_string());
    for _ in 0..MAX_TRIES {
        let kept = except.map_or("", SessionId::as_str);
        let call = scripts::REVOKE_ALL.invoke().key(&index).arg(kept);
        let answer: Vec<String> = sessions.redis.eval(call).await?;
        let (first, ids) = answer
            .split_first()
            .ok_or(Error::Unreadable("the answer of a script"))?;
        match (first.as_str(), except) {
            ("foreign", _) => return Ok(AllRevoked::ExceptUnknown),
            ("unknown", Some(kept)) => {
                if read_and_use(sessions, kept, Viewer::ALL, None)
                    .await?
                    .is_none()
                {
                    return Ok(AllRevoked::ExceptUnknown);
                }
            }
            (at, _) => {
                revoked_by(sessions, user, kept, at, ids).await?;
                return Ok(AllRevoked::Done);
            }
        }
    }
    Err(Error::Contended)
}

/// Persists the revocation, and revokes in Redis the ids that Postgres had: a reader may be copying them to Redis.
async fn revoked_by(
    sessions: &Sessions,
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
    let mut gone = persist(sessions, &intent).await?.also;
    gone.extend_from_slice(ids);
    mark_revoked(sessions, &gone).await
}
