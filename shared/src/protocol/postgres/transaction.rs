//! Transactions: several statements that take effect together or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::timeout;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

use super::error::Error;
use super::session::Session;
use super::{Parameter, Postgres, QUERY_TIMEOUT};

/// An open transaction. It has its own connection; other statements use another one meanwhile. Dropping it without
/// [`Transaction::commit`] closes the connection, and the server rolls it back.
#[derive(Debug)]
pub struct Transaction {
    postgres: Postgres,
    session: Arc<Session>,
    failed: AtomicBool,
}

impl Postgres {
    /// Begins a transaction with the database's default isolation (usually read committed).
    pub async fn transaction(&self) -> Result<Transaction, Error> {
        let session = self.session().await?;
        self.forget(&session).await;
        let begun = Transaction {
            postgres: self.clone(),
            session,
            failed: AtomicBool::new(false),
        };
        begun.run("BEGIN").await?;
        Ok(begun)
    }
}

impl Transaction {
    /// Runs one statement and returns its rows.
    pub async fn query(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Error> {
        let answer = self.session.client().query_typed(sql, parameters);
        self.settled(timeout(QUERY_TIMEOUT, answer).await)
    }

    /// Runs one statement and returns the number of affected rows.
    pub async fn execute(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64, Error> {
        let answer = self.session.client().execute_typed(sql, parameters);
        self.settled(timeout(QUERY_TIMEOUT, answer).await)
    }

    /// Commits all statements. After [`Error::Interrupted`] it is unknown whether they took effect.
    pub async fn commit(self) -> Result<(), Error> {
        // The server would roll a failed transaction back on commit, without an error.
        if self.failed.load(Ordering::Relaxed) {
            return Err(Error::Rejected {
                code: SqlState::IN_FAILED_SQL_TRANSACTION.code().to_owned(),
                message: "a statement of this transaction failed".to_owned(),
            });
        }
        self.run("COMMIT").await?;
        self.session.touch();
        self.postgres.keep(self.session).await;
        Ok(())
    }

    async fn run(&self, word: &str) -> Result<(), Error> {
        let answer = self.session.client().batch_execute(word);
        self.settled(timeout(QUERY_TIMEOUT, answer).await)
    }

    fn settled<T>(
        &self,
        outcome: Result<Result<T, tokio_postgres::Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, Error> {
        let answer = match outcome {
            Ok(answer) => answer.map_err(Error::of_statement),
            Err(elapsed) => Err(Error::Interrupted(elapsed.into())),
        };
        if answer.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        answer
    }
}
