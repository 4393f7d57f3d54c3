//! Errors of statements. The variants differ in the caller's next step.

use tokio_postgres::error::SqlState;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a statement failed. Codes are SQLSTATE (PostgreSQL manual, appendix A).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database was unreachable, or rejected the statement for a transient reason (shutdown, connection limit,
    /// deadlock). The statement certainly had no effect; a retry is safe.
    #[error("Postgres is unavailable")]
    Unavailable(#[source] Cause),
    /// The connection broke, or the deadline passed, after the statement was sent. It may have taken effect. Only a
    /// repeatable statement may be retried.
    #[error("Postgres did not confirm the statement; it may have taken effect")]
    Interrupted(#[source] Cause),
    /// A unique, foreign-key, check or not-null constraint was violated (SQLSTATE class 23).
    #[error("Postgres rejected the change: {code} {constraint}")]
    Constraint {
        /// The SQLSTATE.
        code: String,
        /// The constraint's name; empty if the server names none.
        constraint: String,
    },
    /// The server rejects the statement permanently: a missing table, a missing right, a wrong type.
    #[error("Postgres rejected the statement: {code} {message}")]
    Rejected {
        /// The SQLSTATE.
        code: String,
        /// The server's primary message. Its detail is omitted, because it quotes rows.
        message: String,
    },
    /// A result column is absent or has an unexpected type.
    #[error("a column of the result is unreadable")]
    Decode(#[source] tokio_postgres::Error),
}

impl Error {
    /// Returns whether the cause is the connection or the server, not the statement. A repeatable statement may succeed
    /// on a new connection.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Interrupted(_))
    }

    /// Maps the error of a statement on an open connection.
    pub(super) fn of_statement(error: tokio_postgres::Error) -> Self {
        let Some(refusal) = error.as_db_error() else {
            return Self::Interrupted(error.into());
        };
        let code = refusal.code().code().to_owned();
        if passes(refusal.code()) {
            return Self::Unavailable(Refusal(code).into());
        }
        if code.starts_with("23") {
            let constraint = refusal.constraint().unwrap_or_default().to_owned();
            return Self::Constraint { code, constraint };
        }
        Self::Rejected {
            code,
            message: refusal.message().to_owned(),
        }
    }
}

/// A transient rejection, with its SQLSTATE only.
#[derive(Debug, thiserror::Error)]
#[error("the server answered SQLSTATE {0}")]
struct Refusal(String);

/// Returns whether the server rolled the transaction back for a transient reason: connection or resource problems,
/// operator intervention, fail-over to a read-only standby, a serialization conflict, or a lock held by others.
fn passes(state: &SqlState) -> bool {
    let code = state.code();
    ["08", "40", "53", "57", "58"]
        .iter()
        .any(|class| code.starts_with(class))
        || *state == SqlState::READ_ONLY_SQL_TRANSACTION
        || *state == SqlState::LOCK_NOT_AVAILABLE
}
