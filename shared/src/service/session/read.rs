//! Reading a session: from Redis, which records the use; from Postgres if Redis does not have it or is unavailable.

use super::archive::Touched;
use super::fill::{ReadResult, age, ask, days, fill};
use super::ids::SessionId;
use super::intent::{mark_revoked, save};
use super::record::Record;
use super::view::{Session, Viewer};
use super::{Error, MAX_TRIES, SESSION, Sessions, scripts};
use crate::base::causes::causes;
use crate::base::id;
use crate::protocol::upstash::Invocation;

/// The minimum time between two writes of the last use to Postgres (milliseconds); `lua/session.lua` has the same.
const SAVED_EVERY: i64 = 3_600_000;

/// Replaces a ticket: nothing is written.
const LOOK: &str = "look";

pub(super) async fn read(
    sessions: &Sessions,
    id: &SessionId,
    viewer: Viewer<'_>,
    totp_max_age: Option<u32>,
) -> Result<Option<String>, Error> {
    match ask(sessions, reading(sessions, id, viewer, totp_max_age, LOOK)).await {
        Ok(ReadResult::Live(json)) => Ok(Some(json)),
        Ok(ReadResult::Gone) => Ok(None),
        Ok(ReadResult::Use) => read_and_use(sessions, id, viewer, totp_max_age).await,
        Ok(_) => Err(Error::Unreadable("the answer of a script")),
        Err(error @ Error::Store(_)) => {
            tracing::warn!(
                error = causes(&error),
                "Redis unavailable; session read from Postgres"
            );
            read_archive(sessions, id, viewer, totp_max_age).await
        }
        Err(error) => Err(error),
    }
}

/// Reads it with a recorded use, and reads Postgres if Redis does not have it.
pub(super) async fn read_and_use(
    sessions: &Sessions,
    id: &SessionId,
    viewer: Viewer<'_>,
    totp_max_age: Option<u32>,
) -> Result<Option<String>, Error> {
    for _ in 0..MAX_TRIES {
        let call = reading(sessions, id, viewer, totp_max_age, &id::nonce());
        let result = match ask(sessions, call).await {
            Ok(result) => result,
            Err(error @ Error::Store(_)) => {
                tracing::warn!(
                    error = causes(&error),
                    "Redis unavailable; session read from Postgres"
                );
                return read_archive(sessions, id, viewer, totp_max_age).await;
            }
            Err(error) => return Err(error),
        };
        let result = match result {
            ReadResult::Miss(ticket) => match sessions.archive.find(id.as_str()).await? {
                Some(record) => fill(sessions, &record, &ticket, viewer, totp_max_age).await?,
                None => ReadResult::Gone,
            },
            ReadResult::Former(json) => match sessions.archive.find(id.as_str()).await {
                Ok(Some(record)) => fill(sessions, &record, "", viewer, totp_max_age).await?,
                // The web app deleted the row at logout, but not the string.
                Ok(None) => ReadResult::Gone,
                Err(error) => {
                    tracing::warn!(
                        error = causes(&error),
                        "Postgres unavailable; session of the web app served unconfirmed"
                    );
                    ReadResult::Live(json)
                }
            },
            result => result,
        };
        match result {
            ReadResult::Live(json) | ReadResult::Former(json) => return Ok(Some(json)),
            ReadResult::Due(json, at) => return note_use(sessions, id, at, json).await,
            ReadResult::Gone => return Ok(None),
            ReadResult::Miss(_) | ReadResult::Late => {}
            ReadResult::Use => return Err(Error::Unreadable("the answer of a script")),
        }
    }
    Err(Error::Contended)
}

/// Returns the call of the reading script. Pass a ticket if Postgres can be read; [`LOOK`] writes nothing.
fn reading(
    sessions: &Sessions,
    id: &SessionId,
    viewer: Viewer<'_>,
    totp_max_age: Option<u32>,
    ticket: &str,
) -> Invocation {
    let [user, domain] = viewer.arguments();
    scripts::READ
        .invoke()
        .key(SESSION.key(id.as_str()))
        .keys(days(sessions))
        .arg(age(totp_max_age))
        .arg(user)
        .arg(domain)
        .arg(ticket)
}

/// Writes the last use to Postgres. If Postgres is unavailable, the next hour tries again. If the session is
/// revoked there, Redis has lost the revocation.
async fn note_use(
    sessions: &Sessions,
    id: &SessionId,
    at: i64,
    json: String,
) -> Result<Option<String>, Error> {
    match sessions.archive.touch(id.as_str(), at).await {
        Ok(Touched::Noted) => {}
        Ok(Touched::Revoked) => {
            mark_revoked(sessions, &[id.as_str().to_owned()]).await?;
            return Ok(None);
        }
        Ok(Touched::Lost) => restore(sessions, id).await,
        Err(error) => {
            tracing::warn!(
                error = causes(&error),
                "session use not written to Postgres; a later read writes it"
            );
        }
    }
    Ok(Some(json))
}

/// Writes a session that Redis has and Postgres has lost, for example after a restored backup.
async fn restore(sessions: &Sessions, id: &SessionId) {
    // A plain read may use a replica that lacks the last change, or the revocation.
    let call = scripts::FIELDS.invoke().key(SESSION.key(id.as_str()));
    let restored = async {
        let fields: Vec<String> = sessions.redis.eval(call).await?;
        let record = Record::from_fields(id.as_str(), &fields)?;
        save(sessions, record).await
    };
    if let Err(error) = restored.await {
        tracing::warn!(
            error = causes(&error),
            "session row not restored in Postgres; a later read tries again"
        );
    }
}

/// Reads from Postgres alone.
async fn read_archive(
    sessions: &Sessions,
    id: &SessionId,
    viewer: Viewer<'_>,
    totp_max_age: Option<u32>,
) -> Result<Option<String>, Error> {
    let found = sessions.archive.find(id.as_str()).await?;
    let Some(record) = found.filter(|record| viewer.may_see(record)) else {
        return Ok(None);
    };
    let now = sessions.clock.now().as_millisecond();
    if now - record.last_used_at >= SAVED_EVERY
        && let Err(error) = sessions.archive.touch(id.as_str(), now).await
    {
        tracing::warn!(
            error = causes(&error),
            "session use not written to Postgres; a later read writes it"
        );
    }
    Session::of(&record, now, now, totp_max_age)?
        .json()
        .map(Some)
}
