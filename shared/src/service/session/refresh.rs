//! Rotating refresh tokens.

use super::fill::renew;
use super::ids::{RefreshToken, SessionId};
use super::intent::{Intent, mark_revoked, persist, save};
use super::read::read_and_use;
use super::record::{HALF_HASH, Record};
use super::view::Viewer;
use super::{Error, MAX_TRIES, OF_USER, SESSION, Sessions, scripts};
use crate::base::causes::causes;
use crate::protocol::upstash::Command;

/// The grace period of the previous token, for concurrent callers, in milliseconds.
const GRACE: i64 = 10_000;

/// How many former tokens are kept, to distinguish reused tokens from invalid ones. With access tokens of a quarter of
/// an hour, this covers half a day.
const MAX_FORMER_TOKENS: usize = 64;

// The length that the script keeps of each.
const _: () = assert!(HALF_HASH == 32);

/// The result of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// The token was current; the next token is current now.
    Rotated,
    /// A concurrent caller has just replaced it: that caller's token is valid.
    Kept,
    /// It was replaced before: it was copied. The session is revoked.
    Reused,
    /// It was never a token of this session.
    Invalid,
    /// The next token was used before.
    Stale,
    /// The session does not exist.
    Gone,
}

pub(super) async fn refresh(
    sessions: &Sessions,
    id: &SessionId,
    viewer: Viewer<'_>,
    given: &RefreshToken,
    next: &RefreshToken,
) -> Result<Refreshed, Error> {
    for _ in 0..MAX_TRIES {
        let [user, domain] = viewer.arguments();
        let call = scripts::REFRESH
            .invoke()
            .key(SESSION.key(id.as_str()))
            .arg(given.hash())
            .arg(next.hash())
            .arg(GRACE)
            .arg(MAX_FORMER_TOKENS)
            .arg(user)
            .arg(domain);
        let answer: Vec<String> = sessions.redis.eval(call).await?;
        let (word, rest) = answer
            .split_first()
            .ok_or(Error::Unreadable("the answer of a script"))?;
        match word.as_str() {
            "rotated" => {
                let record = Record::from_fields(id.as_str(), rest)?;
                return Ok(if save(sessions, record).await? {
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
                persist(
                    sessions,
                    &Intent::Revoke {
                        session_ids: session_ids.clone(),
                    },
                )
                .await?;
                mark_revoked(sessions, &session_ids).await?;
                if let Some(user) = rest.first() {
                    forget(sessions, user, id).await;
                }
                return Ok(Refreshed::Reused);
            }
            "miss" => {
                if read_and_use(sessions, id, viewer, None).await?.is_none() {
                    return Ok(Refreshed::Gone);
                }
            }
            "former" => match sessions.archive.find(id.as_str()).await? {
                Some(record) => renew(sessions, &record).await?,
                // The web app deleted the row at logout, but not the string.
                None => return Ok(Refreshed::Invalid),
            },
            "invalid" => {
                if !is_behind(sessions, id, rest.first()).await? {
                    return Ok(Refreshed::Invalid);
                }
            }
            _ => return Err(Error::Unreadable("the answer of a script")),
        }
    }
    Err(Error::Contended)
}

/// Removes a revoked session from its user's index. After a failure, the next login removes it.
async fn forget(sessions: &Sessions, user: &str, id: &SessionId) {
    let gone = Command::new("HDEL").arg(OF_USER.key(user)).arg(id.as_str());
    if let Err(error) = sessions.redis.run::<()>(gone.repeatable()).await {
        tracing::warn!(
            error = causes(&error),
            "session index not cleaned; the next login cleans it"
        );
    }
}

/// Returns whether Redis had lost a change that Postgres has, for example after a failover; then Redis is updated.
/// Called only for a token that Redis does not know.
async fn is_behind(
    sessions: &Sessions,
    id: &SessionId,
    version: Option<&String>,
) -> Result<bool, Error> {
    let version = version.and_then(|version| version.parse::<i64>().ok());
    let found = sessions
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
            renew(sessions, &record).await?;
            Ok(true)
        }
        _ => Ok(false),
    }
}
