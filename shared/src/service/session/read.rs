//! Reading a session: from Redis, which records the use; from Postgres if Redis does not have it or is unavailable.

use jiff::tz::TimeZone;

use super::archive::Touched;
use super::ids::SessionId;
use super::record::Record;
use super::view::{Session, Viewer};
use super::{ACTIVE_USERS, Error, MAX_TRIES, OF_USER, SESSION, Sessions, scripts};
use crate::base::causes::causes;
use crate::base::id;
use crate::protocol::upstash::Invocation;

/// The minimum time between two writes of the last use to Postgres (milliseconds); `lua/session.lua` has the same.
const SAVED_EVERY: i64 = 3_600_000;

/// The answer of the reading script.
enum ReadResult {
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

impl Sessions {
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
        match self.ask(self.reading(id, viewer, totp_max_age, LOOK)).await {
            Ok(ReadResult::Live(json)) => Ok(Some(json)),
            Ok(ReadResult::Gone) => Ok(None),
            Ok(ReadResult::Use) => self.read_and_use(id, viewer, totp_max_age).await,
            Ok(_) => Err(Error::Unreadable("the answer of a script")),
            Err(error @ Error::Store(_)) => {
                tracing::warn!(
                    error = causes(&error),
                    "Redis unavailable; session read from Postgres"
                );
                self.read_archive(id, viewer, totp_max_age).await
            }
            Err(error) => Err(error),
        }
    }

    /// Reads it with a recorded use, and reads Postgres if Redis does not have it.
    pub(super) async fn read_and_use(
        &self,
        id: &SessionId,
        viewer: Viewer<'_>,
        totp_max_age: Option<u32>,
    ) -> Result<Option<String>, Error> {
        for _ in 0..MAX_TRIES {
            let call = self.reading(id, viewer, totp_max_age, &id::nonce());
            let result = match self.ask(call).await {
                Ok(result) => result,
                Err(error @ Error::Store(_)) => {
                    tracing::warn!(
                        error = causes(&error),
                        "Redis unavailable; session read from Postgres"
                    );
                    return self.read_archive(id, viewer, totp_max_age).await;
                }
                Err(error) => return Err(error),
            };
            let result = match result {
                ReadResult::Miss(ticket) => match self.archive.find(id.as_str()).await? {
                    Some(record) => self.fill(&record, &ticket, viewer, totp_max_age).await?,
                    None => ReadResult::Gone,
                },
                ReadResult::Former(json) => match self.archive.find(id.as_str()).await {
                    Ok(Some(record)) => self.fill(&record, "", viewer, totp_max_age).await?,
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
                ReadResult::Due(json, at) => return self.note_use(id, at, json).await,
                ReadResult::Gone => return Ok(None),
                ReadResult::Miss(_) | ReadResult::Late => {}
                ReadResult::Use => return Err(Error::Unreadable("the answer of a script")),
            }
        }
        Err(Error::Contended)
    }

    /// Returns the keys of today's and yesterday's users: the store's clock decides which day it is.
    fn days(&self) -> [String; 2] {
        let today = self.clock.now().to_zoned_datetime(TimeZone::UTC).date();
        let yesterday = today.yesterday().unwrap_or(today);
        [today, yesterday].map(|day| ACTIVE_USERS.key(&day.to_string()))
    }

    /// Returns the call of the reading script. Pass a ticket if Postgres can be read; [`LOOK`] writes nothing.
    fn reading(
        &self,
        id: &SessionId,
        viewer: Viewer<'_>,
        totp_max_age: Option<u32>,
        ticket: &str,
    ) -> Invocation {
        let [user, domain] = viewer.arguments();
        scripts::READ
            .invoke()
            .key(SESSION.key(id.as_str()))
            .keys(self.days())
            .arg(age(totp_max_age))
            .arg(user)
            .arg(domain)
            .arg(ticket)
    }

    /// Copies the record of Postgres to Redis.
    async fn fill(
        &self,
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
            .keys(self.days())
            .arg(ticket)
            .arg(&record.session_id)
            .arg(user)
            .arg(domain)
            .arg(age(totp_max_age));
        for field in record.fields()? {
            call = call.arg(field);
        }
        self.ask(call).await
    }

    /// Updates the session in Redis with the record of Postgres, if Redis has the session.
    pub(super) async fn renew(&self, record: &Record) -> Result<(), Error> {
        self.fill(record, "", Viewer::ALL, None).await?;
        Ok(())
    }

    async fn ask(&self, call: Invocation) -> Result<ReadResult, Error> {
        let answer: Vec<String> = self.redis.eval(call).await?;
        let mut fields = answer.into_iter();
        let state = fields.next().unwrap_or_default();
        let rest = [fields.next(), fields.next()];
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

    /// Writes the last use to Postgres. If Postgres is unavailable, the next hour tries again. If the session is
    /// revoked there, Redis has lost the revocation.
    async fn note_use(
        &self,
        id: &SessionId,
        at: i64,
        json: String,
    ) -> Result<Option<String>, Error> {
        match self.archive.touch(id.as_str(), at).await {
            Ok(Touched::Noted) => {}
            Ok(Touched::Revoked) => {
                self.mark_revoked(&[id.as_str().to_owned()]).await?;
                return Ok(None);
            }
            Ok(Touched::Lost) => self.restore(id).await,
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
    async fn restore(&self, id: &SessionId) {
        // A plain read may use a replica that lacks the last change, or the revocation.
        let call = scripts::FIELDS.invoke().key(SESSION.key(id.as_str()));
        let restored = async {
            let fields: Vec<String> = self.redis.eval(call).await?;
            let record = Record::from_fields(id.as_str(), &fields)?;
            self.save(record).await
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
        &self,
        id: &SessionId,
        viewer: Viewer<'_>,
        totp_max_age: Option<u32>,
    ) -> Result<Option<String>, Error> {
        let found = self.archive.find(id.as_str()).await?;
        let Some(record) = found.filter(|record| viewer.may_see(record)) else {
            return Ok(None);
        };
        let now = self.clock.now().as_millisecond();
        if now - record.last_used_at >= SAVED_EVERY
            && let Err(error) = self.archive.touch(id.as_str(), now).await
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
}

/// Replaces a ticket: nothing is written.
const LOOK: &str = "look";

fn age(totp_max_age: Option<u32>) -> String {
    totp_max_age
        .map(|seconds| seconds.to_string())
        .unwrap_or_default()
}
