//! One connection for administration: databases, roles, migrations and sample data.

use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

use super::Error;

/// An open connection, without TLS because it stays on this machine.
pub(super) struct Session {
    pub(super) client: Client,
    connection: JoinHandle<()>,
}

impl Session {
    pub(super) async fn open(url: &str) -> Result<Self, Error> {
        let (client, connection) = tokio_postgres::connect(url, NoTls)
            .await
            .map_err(Error::Connect)?;
        let connection = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "PostgreSQL connection ended with an error");
            }
        });
        Ok(Self { client, connection })
    }

    /// Runs statements that return nothing.
    pub(super) async fn run(&self, script: &str) -> Result<(), Error> {
        self.client
            .batch_execute(script)
            .await
            .map_err(Error::Refused)
    }

    pub(super) async fn has_database(&self, name: &str) -> Result<bool, Error> {
        let found = self
            .client
            .query_opt("select 1 from pg_database where datname = $1", &[&name])
            .await
            .map_err(Error::Refused)?;
        Ok(found.is_some())
    }

    /// Closes the connection and waits until it is closed, so that its database can be copied or dropped.
    pub(super) async fn close(self) {
        drop(self.client);
        if let Err(error) = self.connection.await {
            tracing::debug!(%error, "PostgreSQL connection task failed");
        }
    }
}

/// Runs a script on the database at `url`, in one transaction.
pub async fn run_script(url: &str, script: &str) -> Result<(), Error> {
    let mut session = Session::open(url).await?;
    let transaction = session.client.transaction().await.map_err(Error::Refused)?;
    transaction
        .batch_execute(script)
        .await
        .map_err(Error::Refused)?;
    transaction.commit().await.map_err(Error::Refused)?;
    session.close().await;
    Ok(())
}
