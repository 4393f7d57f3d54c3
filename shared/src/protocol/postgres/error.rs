//! What can go wrong with a statement, told apart by what the caller may do next.

use tokio_postgres::error::SqlState;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a statement gave no answer. Codes are SQLSTATE (PostgreSQL manual, appendix A).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database could not be reached, or turned the statement away for a passing reason (shutting down, out of
    /// connections, deadlock). The statement surely took no effect: it may be tried again.
    #[error("Postgres is unavailable")]
    Unavailable(#[source] Cause),
    /// The connection was cut, or the deadline ran out, after the statement was sent: it may have taken effect. Only
    /// a statement that is safe to repeat may be tried again.
    #[error("Postgres did not confirm the statement; it may have taken effect")]
    Interrupted(#[source] Cause),
    /// A unique, foreign-key, check or not-null constraint forbids it (SQLSTATE class 23).
    #[error("Postgres rejected the change: {code} {constraint}")]
    Constraint {
        /// The SQLSTATE.
        code: String,
        /// The constraint's name, empty where the server names none.
        constraint: String,
    },
    /// The server refuses the statement and will always do so: a missing table, a missing right, a wrong type.
    #[error("Postgres rejected the statement: {code} {message}")]
    Rejected {
        /// The SQLSTATE.
        code: String,
        /// The server's primary message. Its detail is left out, because it quotes rows.
        message: String,
    },
    /// A result column is absent or of another type than the caller expects.
    #[error("a column of the result is unreadable")]
    Decode(#[source] tokio_postgres::Error),
}

impl Error {
    /// Whether the trouble lies with the connection or the server rather than with the statement. The same statement
    /// may succeed on a new connection, if it is safe to repeat.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Interrupted(_))
    }

    /// The error of a statement that was handed to an open connection.
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

/// A refusal that passes, by its SQLSTATE alone.
#[derive(Debug, thiserror::Error)]
#[error("the server answered SQLSTATE {0}")]
struct Refusal(String);

/// Whether the server's answer says that the transaction was rolled back for a reason that passes: connection and
/// resource trouble, an operator's intervention, a fail-over to a read-only standby, a lost race, a lock that others hold.
fn passes(state: &SqlState) -> bool {
    let code = state.code();
    ["08", "40", "53", "57", "58"]
        .iter()
        .any(|class| code.starts_with(class))
        || *state == SqlState::READ_ONLY_SQL_TRANSACTION
        || *state == SqlState::LOCK_NOT_AVAILABLE
}
