//! The e-mail ledger and its migrations, on a real PostgreSQL.

use std::path::Path;

use local::postgres::{Cluster, Passwords, Settings, migrations_folder};
use shared::protocol::postgres::{self, Postgres, column};
use shared::service::email::EmailAddress;
use shared::service::mail_ledger::{Begun, Entry, Identity, MailLedger, Sending};
use tempfile::TempDir;

/// A migrated database with the two roles that use it.
struct Fixture {
    functions: Postgres,
    owner: Postgres,
    functions_url: String,
    cluster: Cluster,
    _folder: TempDir,
}

impl Fixture {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cluster = Cluster::start(Settings {
            folder: folder.path().join("postgres"),
            port: 0,
            durable: false,
            log: folder.path().join("postgres.log"),
            passwords: Passwords::new("admin", "owner", "functions"),
        })
        .await
        .unwrap();
        let database = cluster.database("ledger").await.unwrap();
        Self {
            functions: Postgres::at(&database.functions_url, None).unwrap(),
            owner: Postgres::at(&database.owner_url, None).unwrap(),
            functions_url: database.functions_url.clone(),
            cluster,
            _folder: folder,
        }
    }

    fn ledger(&self) -> MailLedger {
        MailLedger::new(self.functions.clone())
    }

    /// The number that a query of the owner gives.
    async fn count(&self, sql: &str) -> i64 {
        let rows = self.owner.query(sql, &[]).await.unwrap();
        column(&rows[0], "count").unwrap()
    }

    async fn end(self) {
        self.cluster.stop().await;
    }
}

async fn begin(ledger: &MailLedger, job_id: &str) -> Begun {
    let recipient = EmailAddress::parse("ann@example.com").unwrap();
    let entry = Entry {
        kind: "reminder",
        recipient: &recipient,
        job_id,
        identity: Identity {
            request_id: Some("request"),
            signer_id: Some("signer"),
            occurrence: Some("1"),
        },
    };
    ledger.begin(&entry).await.unwrap()
}

#[track_caller]
fn to_send(begun: Begun) -> Sending {
    match begun {
        Begun::Send(sending) => sending,
        other => panic!("nothing to send: {other:?}"),
    }
}

fn message_id() -> postgres_free::MessageId {
    postgres_free::message_id("m-1")
}
