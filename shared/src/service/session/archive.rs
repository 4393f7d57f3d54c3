//! Sessions in Postgres: one repeatable statement for each operation.

use uuid::Uuid;

use super::record::Record;
use crate::base::causes::causes;
use crate::protocol::postgres::{self, Json, Parameter, Postgres, Row, Type, column};

const FIND: &str = "SELECT record FROM signtusk.live_sessions WHERE session_id = $1";

/// The limit of the query: more than a user can have, to include rows of the web app.
const OF_USER: &str = "SELECT record FROM signtusk.live_sessions WHERE user_id = $1::uuid \
    ORDER BY last_used_at DESC, session_id LIMIT 100";

const SAVE: &str = include_str!("sql/save.sql");
const TOUCH: &str = include_str!("sql/touch.sql");
const REVOKE: &str = include_str!("sql/revoke.sql");
const REVOKE_USER: &str = include_str!("sql/revoke_user.sql");

/// The table of sessions, and the table of revoked ones.
#[derive(Clone, Debug)]
pub(super) struct Archive(Postgres);

/// A session to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Save<'a> {
    pub(super) record: &'a Record,
    /// The ids that Redis has revoked because of the session limit.
    pub(super) evicted: &'a [String],
    /// How many other sessions the user may have; none if the limit is not checked.
    pub(super) max_others: Option<i64>,
    /// Whether it is a new session, which must not change an existing row.
    pub(super) is_new: bool,
}

/// The result of a write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Saved {
    /// The session was revoked before: nothing was written.
    pub(super) revoked: bool,
    /// The existing row has another state of the session, or is another session.
    pub(super) differs: bool,
    /// Further sessions that were revoked, which Redis may not know.
    pub(super) also: Vec<String>,
}

/// The result of recording the last use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Touched {
    Noted,
    Revoked,
    /// The row does not exist.
    Lost,
}

impl Archive {
    pub(super) fn new(postgres: Postgres) -> Self {
        Self(postgres)
    }

    /// Returns the session, if it is live.
    pub(super) async fn find(&self, id: &str) -> Result<Option<Record>, postgres::Error> {
        let rows = self.0.query_repeatable(FIND, &[(&id, Type::TEXT)]).await?;
        rows.first().map(record).transpose()
    }

    /// Returns a user's sessions, the most recently used first.
    pub(super) async fn of_user(&self, user: Uuid) -> Result<Vec<Record>, postgres::Error> {
        let user = user.to_string();
        let rows = self
            .0
            .query_repeatable(OF_USER, &[(&user, Type::TEXT)])
            .await?;
        // An unreadable session must not hide the others.
        let read = |row| {
            record(row)
                .inspect_err(|error| {
                    tracing::error!(
                        error = causes(error),
                        "session unreadable; left out of the list"
                    );
                })
                .ok()
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// Writes a session that is newer than its row.
    pub(super) async fn save(&self, save: Save<'_>) -> Result<Saved, postgres::Error> {
        let record = Json(save.record);
        let parameters: [Parameter<'_>; 4] = [
            (&record, Type::JSONB),
            (&save.evicted, Type::TEXT_ARRAY),
            (&save.max_others, Type::INT8),
            (&save.is_new, Type::BOOL),
        ];
        let rows = self.0.query_repeatable(SAVE, &parameters).await?;
        let Some(row) = rows.first() else {
            return Ok(Saved::default());
        };
        Ok(Saved {
            revoked: column(row, "revoked")?,
            differs: column(row, "differs")?,
            also: column(row, "also")?,
        })
    }

    /// Records the last use.
    pub(super) async fn touch(&self, id: &str, at: i64) -> Result<Touched, postgres::Error> {
        let parameters: [Parameter<'_>; 2] = [(&id, Type::TEXT), (&at, Type::INT8)];
        let rows = self.0.query_repeatable(TOUCH, &parameters).await?;
        let flag = |name| {
            rows.first()
                .map_or(Ok(false), |row| column::<bool>(row, name))
        };
        Ok(match (flag("revoked")?, flag("touched")?) {
            (true, _) => Touched::Revoked,
            (false, true) => Touched::Noted,
            (false, false) => Touched::Lost,
        })
    }

    /// Revokes sessions permanently.
    pub(super) async fn revoke(&self, ids: &[String]) -> Result<(), postgres::Error> {
        let parameters: [Parameter<'_>; 1] = [(&ids, Type::TEXT_ARRAY)];
        self.0.query_repeatable(REVOKE, &parameters).await?;
        Ok(())
    }

    /// Revokes a user's sessions that were created by an instant, and returns the ids of those in the table.
    pub(super) async fn revoke_user(
        &self,
        user: Uuid,
        except: &str,
        at: i64,
        known: &[String],
    ) -> Result<Vec<String>, postgres::Error> {
        let user = user.to_string();
        let parameters: [Parameter<'_>; 4] = [
            (&user, Type::TEXT),
            (&except, Type::TEXT),
            (&at, Type::INT8),
            (&known, Type::TEXT_ARRAY),
        ];
        let rows = self.0.query_repeatable(REVOKE_USER, &parameters).await?;
        rows.first()
            .map_or(Ok(Vec::new()), |row| column(row, "also"))
    }
}

fn record(row: &Row) -> Result<Record, postgres::Error> {
    column::<Json<Record>>(row, "record").map(|Json(record)| record)
}
