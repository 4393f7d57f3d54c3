//! Postgres through a transaction-mode pooler: one lazily opened connection per instance, typed unnamed statements.
//!
//! A pooler may run each transaction on a different server process, so a session keeps no state: no named prepared
//! statement, no `set`. Every statement carries its parameter types, which saves a round trip. Its result columns must
//! have built-in types; cast others in the statement.

mod error;
mod session;
mod target;
mod transaction;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::types::FromSql;
pub use tokio_postgres::{
    Row,
    types::{Json, ToSql, Type},
};

pub use self::error::Error;
use self::session::Session;
use self::target::Target;
pub use self::transaction::Transaction;
use crate::base::env;

/// The time limit of a statement, including its answer.
const QUERY_TIMEOUT: Duration = Duration::from_secs(5);

/// One parameter of a statement: the value and its declared type.
pub type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// A database. Cheap to clone; clones share the one connection.
#[derive(Clone, Debug)]
pub struct Postgres(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    target: Target,
    session: Mutex<Option<Arc<Session>>>,
}

impl Postgres {
    /// Returns the database of `DATABASE_URL`, verified with the public roots and `DATABASE_CA` (PEM text, or the path
    /// of a PEM file). The first statement opens the connection.
    pub fn from_env() -> Result<Self, env::Error> {
        Self::at(
            &env::required("DATABASE_URL")?,
            env::optional("DATABASE_CA").as_deref(),
        )
    }

    /// Returns the database of a connection string, verified with the public roots and `authority`. An error names the
    /// variables of [`Self::from_env`].
    pub fn at(url: &str, authority: Option<&str>) -> Result<Self, env::Error> {
        Ok(Self(Arc::new(Shared {
            target: Target::new(url, authority)?,
            session: Mutex::new(None),
        })))
    }

    /// Runs one statement and returns its rows.
    pub async fn query(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Error> {
        let session = self.session().await?;
        let answer = session.client().query_typed(sql, parameters);
        self.settle(&session, timeout(QUERY_TIMEOUT, answer).await)
            .await
    }

    /// Runs one repeatable statement. If its answer is lost, repeats it once on a new connection, so that a connection
    /// lost during a freeze does not fail the call.
    pub async fn query_repeatable(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Error> {
        match self.query(sql, parameters).await {
            Err(error) if error.is_transient() => self.query(sql, parameters).await,
            answer => answer,
        }
    }

    /// Runs one statement and returns the number of affected rows.
    pub async fn execute(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64, Error> {
        let session = self.session().await?;
        let answer = session.client().execute_typed(sql, parameters);
        self.settle(&session, timeout(QUERY_TIMEOUT, answer).await)
            .await
    }

    /// Runs statements without parameters over the simple protocol, such as a ping or a migration.
    pub async fn batch(&self, sql: &str) -> Result<(), Error> {
        let session = self.session().await?;
        let answer = session.client().batch_execute(sql);
        self.settle(&session, timeout(QUERY_TIMEOUT, answer).await)
            .await
    }

    /// Returns the open connection, or a new one if there is none or it did not survive a freeze.
    async fn session(&self) -> Result<Arc<Session>, Error> {
        let mut slot = self.0.session.lock().await;
        if let Some(session) = slot.as_ref() {
            if session.is_alive().await {
                return Ok(Arc::clone(session));
            }
            *slot = None;
        }
        let session = Arc::new(self.0.target.connect().await?);
        *slot = Some(Arc::clone(&session));
        Ok(session)
    }

    /// Maps the result of a statement, and drops a connection that is no longer usable.
    async fn settle<T>(
        &self,
        session: &Arc<Session>,
        outcome: Result<Result<T, tokio_postgres::Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, Error> {
        let error = match outcome {
            Ok(Ok(answer)) => {
                session.touch();
                return Ok(answer);
            }
            Ok(Err(error)) => Error::of_statement(error),
            Err(elapsed) => Error::Interrupted(elapsed.into()),
        };
        if error.is_transient() {
            self.forget(session).await;
        }
        Err(error)
    }

    /// Keeps a connection for the next statement, unless another one is open already.
    async fn keep(&self, session: Arc<Session>) {
        self.0.session.lock().await.get_or_insert(session);
    }

    async fn forget(&self, session: &Arc<Session>) {
        let mut slot = self.0.session.lock().await;
        if slot
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, session))
        {
            *slot = None;
        }
    }
}

/// Returns the value of a result column.
pub fn column<'row, T: FromSql<'row>>(row: &'row Row, name: &str) -> Result<T, Error> {
    row.try_get(name).map_err(Error::Decode)
}
