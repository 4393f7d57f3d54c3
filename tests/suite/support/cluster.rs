//! A PostgreSQL for one test, for tests that stop it, cut its connections or change its tables.

use std::path::Path;

use local::postgres::{Cluster, Passwords, Settings};
use shared::protocol::postgres::{Postgres, column};
use tempfile::TempDir;

/// Starts a cluster with its files in `folder`.
pub(crate) async fn cluster(folder: &Path) -> Cluster {
    Cluster::start(Settings {
        folder: folder.join("postgres"),
        port: 0,
        durable: false,
        log: folder.join("postgres.log"),
        passwords: Passwords::new("admin", "owner", "functions"),
    })
    .await
    .unwrap()
}

/// A migrated database in its own cluster, with the two roles that use it.
pub(crate) struct OwnDatabase {
    pub(crate) functions: Postgres,
    pub(crate) owner: Postgres,
    pub(crate) functions_url: String,
    pub(crate) cluster: Cluster,
    _folder: TempDir,
}

impl OwnDatabase {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cluster = cluster(folder.path()).await;
        let database = cluster.database("own").await.unwrap();
        Self {
            functions: Postgres::at(&database.functions_url, None).unwrap(),
            owner: Postgres::at(&database.owner_url, None).unwrap(),
            functions_url: database.functions_url.clone(),
            cluster,
            _folder: folder,
        }
    }

    /// Returns the number from a query of the owner.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let rows = self.owner.query(sql, &[]).await.unwrap();
        column(&rows[0], "count").unwrap()
    }

    pub(crate) async fn end(self) {
        self.cluster.stop().await;
    }
}
