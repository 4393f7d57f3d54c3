//! A migrated database for one test, with the ledger and related tables.

use local::postgres::Database;
use serde_json::Value;
use shared::protocol::mail::{EmailAddress, Provider};
use shared::protocol::postgres::{Json, Postgres, Type, column};
use shared::service::mail::event::MailEvents;
use shared::service::mail::ledger::{Begun, Entry, Identity, MailLedger, Sending};
use shared::service::mail::suppression::Suppressions;

use super::TestCloud;
use super::cloud::fresh_database;

/// The database with its two roles.
pub(crate) struct LedgerDatabase {
    pub(crate) functions: Postgres,
    pub(crate) owner: Postgres,
    database: Database,
}

impl LedgerDatabase {
    pub(crate) async fn fresh() -> Self {
        Self::at(fresh_database().await)
    }

    /// Returns the database of a cloud, without its functions.
    pub(crate) fn of(cloud: &TestCloud) -> Self {
        Self::at(Database {
            functions_url: cloud.variable("DATABASE_URL").to_owned(),
            owner_url: cloud.migrations_database_url().to_owned(),
        })
    }

    /// Wraps a migrated database.
    pub(crate) fn at(database: Database) -> Self {
        Self {
            functions: Postgres::at(&database.functions_url, None).unwrap(),
            owner: Postgres::at(&database.owner_url, None).unwrap(),
            database,
        }
    }

    /// Returns a new connection, as of another instance.
    pub(crate) fn connect(&self) -> Postgres {
        Postgres::at(&self.database.functions_url, None).unwrap()
    }

    /// Returns a new connection of the owner.
    pub(crate) fn connect_as_owner(&self) -> Postgres {
        Postgres::at(&self.database.owner_url, None).unwrap()
    }

    pub(crate) fn ledger(&self) -> MailLedger {
        MailLedger::new(self.functions.clone())
    }

    pub(crate) fn events(&self) -> MailEvents {
        MailEvents::new(self.functions.clone())
    }

    pub(crate) fn suppressions(&self) -> Suppressions {
        Suppressions::new(self.functions.clone())
    }

    /// Runs statements as the owner.
    pub(crate) async fn execute(&self, sql: &str) {
        self.owner.batch(sql).await.unwrap();
    }

    /// Runs a query as the owner: one JSON value in the column `value`.
    pub(crate) async fn read(&self, sql: &str) -> Value {
        let rows = self.owner.query(sql, &[]).await.unwrap();
        let Json(value) = column(&rows[0], "value").unwrap();
        value
    }

    /// Returns the ledger's row of a mail; null if there is none.
    pub(crate) async fn row(&self, key: &str) -> Value {
        let sql = "select coalesce((select to_jsonb(mail) from signtusk.email_ledger as mail where key = $1), \
                   'null'::jsonb) as value";
        let rows = self.owner.query(sql, &[(&key, Type::TEXT)]).await.unwrap();
        let Json(value) = column(&rows[0], "value").unwrap();
        value
    }
}

/// A reminder to a recipient, as a job starts it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reminder<'a> {
    pub(crate) to: &'a str,
    pub(crate) job_id: &'a str,
    pub(crate) occurrence: &'a str,
    pub(crate) supersedes: Option<&'a str>,
    pub(crate) optional: bool,
    pub(crate) provider: Provider,
}

/// The first reminder to Ann, through SES.
pub(crate) const REMINDER: Reminder<'static> = Reminder {
    to: "ann@example.com",
    job_id: "job-1",
    occurrence: "1",
    supersedes: None,
    optional: true,
    provider: Provider::Ses,
};

impl Reminder<'_> {
    /// Starts the mail.
    pub(crate) async fn begin(&self, database: &LedgerDatabase) -> Begun {
        let recipient = EmailAddress::parse(self.to).unwrap();
        let entry = self.entry(&recipient);
        let begun = database.ledger().begin(&entry, self.provider).await;
        begun.unwrap()
    }

    /// Starts the mail, which must be this attempt's to send.
    pub(crate) async fn sending(&self, database: &LedgerDatabase) -> Sending {
        match self.begin(database).await {
            Begun::Send(sending) => sending,
            other => panic!("nothing to send: {other:?}"),
        }
    }

    /// Returns the mail's key.
    pub(crate) fn key(&self) -> String {
        self.entry(&EmailAddress::parse(self.to).unwrap()).key()
    }

    fn entry<'a>(&'a self, recipient: &'a EmailAddress) -> Entry<'a> {
        Entry {
            kind: "reminder",
            recipient,
            job_id: self.job_id,
            identity: Identity {
                request_id: Some("request"),
                signer_id: Some("signer"),
                occurrence: Some(self.occurrence),
            },
            optional: self.optional,
            supersedes: self.supersedes,
            acting_user: "",
        }
    }
}
