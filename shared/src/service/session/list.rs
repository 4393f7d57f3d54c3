//! Listing a user's sessions.

use serde_json::value::RawValue;
use uuid::Uuid;

use super::ids::SessionId;
use super::record::Record;
use super::view::Session;
use super::{Error, OF_USER, Sessions, scripts};
use crate::base::causes::causes;

/// A user's sessions as JSON, see [`Session`]: those in Redis first, by their last use.
pub type Listed = Vec<Box<RawValue>>;

pub(super) async fn list(
    sessions: &Sessions,
    user: Uuid,
    current: Option<&SessionId>,
) -> Result<Listed, Error> {
    let current = current.map_or("", SessionId::as_str);
    let kept = sessions.archive.of_user(user).await;
    let known = kept.as_deref().unwrap_or_default();
    match list_in_redis(sessions, user, current, kept.is_ok(), known).await {
        Ok(listed) => Ok(listed),
        Err(Error::Store(error)) if kept.is_ok() => {
            tracing::warn!(
                error = causes(&error),
                "Redis unavailable; sessions listed from Postgres"
            );
            known
                .iter()
                .map(|record| to_json(record, current))
                .collect()
        }
        Err(error) => Err(error),
    }
}

async fn list_in_redis(
    sessions: &Sessions,
    user: Uuid,
    current: &str,
    was_asked: bool,
    known: &[Record],
) -> Result<Listed, Error> {
    let user = user.to_string();
    let mut call = scripts::LIST
        .invoke()
        .key(OF_USER.key(&user))
        .arg(&user)
        .arg(current)
        .arg(u8::from(was_asked));
    for record in known {
        call = call.arg(&record.session_id).arg(record.created_at);
    }
    let answer: Vec<String> = sessions.redis.eval(call).await?;
    let mut parts = answer.splitn(2, String::is_empty);
    let only_kept = parts.next().unwrap_or_default();
    let live = parts.next().unwrap_or_default().iter().cloned();
    let mut listed = live.map(raw).collect::<Result<Listed, Error>>()?;
    for record in known {
        if only_kept.contains(&record.session_id) {
            listed.push(to_json(record, current)?);
        }
    }
    Ok(listed)
}

/// Returns the JSON of a session that only Postgres has.
fn to_json(record: &Record, current: &str) -> Result<Box<RawValue>, Error> {
    let now = record.last_used_at;
    let mut session = Session::of(record, now, now, None)?;
    session.current = Some(record.session_id == current);
    raw(session.json()?)
}

fn raw(json: String) -> Result<Box<RawValue>, Error> {
    RawValue::from_string(json).map_err(|_| Error::Unreadable("a session"))
}
