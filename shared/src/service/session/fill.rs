//! Copying a session from Postgres to Redis, and the answers of the scripts that read one.

use jiff::tz::TimeZone;

use super::record::Record;
use super::view::Viewer;
use super::{ACTIVE_USERS, Error, OF_USER, SESSION, Sessions, scripts};
use crate::protocol::upstash::Invocation;

/// The answer of a script that reads.
pub(super) enum ReadResult {
    Live(String),
    /// The last use has to be written to Postgres.
    Due(String, i64),
    /// The web app wrote it. Postgres is authoritative.
    Former(String),
    /// There is something to write first.
    Use,
    Gone,
    /// Redis does not have it; the row of Postgres is accepted with this ticket.
    Miss(String),
    /// The ticket was deleted.
    Late,
}

/// Copies the record of Postgres to Redis.
pub(super) async fn fill(
    sessions: &Sessions,
    record: &Record,
    ticket: &str,
    viewer: Viewer<'_>,
    totp_max_age: Option<u32>,
) -> Result<ReadResult, Error> {
    let [user, domain] = viewer.arguments();
    let mut call = scripts::FILL
        .invoke()
        .key(SESSION.key(&record.session_id))
        .key(OF_USER.key(&record.user_id))
        .keys(days(sessions))
        .arg(ticket)
        .arg(&record.session_id)
        .arg(user)
        .arg(domain)
        .arg(age(totp_max_age));
    for field in record.fields()? {
        call = call.arg(field);
    }
    ask(sessions, call).await
}

/// Updates the session in Redis with the record of Postgres, if Redis has the session.
pub(super) async fn renew(sessions: &Sessions, record: &Record) -> Result<(), Error> {
    fill(sessions, record, "", Viewer::ALL, None).await?;
    Ok(())
}

pub(super) async fn ask(sessions: &Sessions, call: Invocation) -> Result<ReadResult, Error> {
    let answer: Vec<String> = sessions.redis.eval(call).await?;
    let mut words = answer.into_iter();
    let state = words.next().unwrap_or_default();
    let rest = [words.next(), words.next()];
    match (state.as_str(), rest) {
        ("live", [Some(json), _]) => Ok(ReadResult::Live(json)),
        ("former", [Some(json), _]) => Ok(ReadResult::Former(json)),
        ("due", [Some(json), Some(at)]) => Ok(ReadResult::Due(
            json,
            at.parse().map_err(|_| Error::Unreadable("an instant"))?,
        )),
        ("miss", [Some(ticket), _]) => Ok(ReadResult::Miss(ticket)),
        ("gone", _) => Ok(ReadResult::Gone),
        ("use", _) => Ok(ReadResult::Use),
        ("late", _) => Ok(ReadResult::Late),
        _ => Err(Error::Unreadable("the answer of a script")),
    }
}

/// Returns the keys of today's and yesterday's users: the store's clock decides which day it is.
pub(super) fn days(sessions: &Sessions) -> [String; 2] {
    let today = sessions.clock.now().to_zoned_datetime(TimeZone::UTC).date();
    let yesterday = today.yesterday().unwrap_or(today);
    [today, yesterday].map(|day| ACTIVE_USERS.key(&day.to_string()))
}

pub(super) fn age(totp_max_age: Option<u32>) -> String {
    totp_max_age
        .map(|seconds| seconds.to_string())
        .unwrap_or_default()
}
