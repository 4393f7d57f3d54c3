//! The durable state, in one `redb` file.
//!
//! All writes go through one thread, which combines waiting writes into one transaction: a thousand publishers share a
//! flush. Right after each commit, and in its order, that thread also applies the effects on the scheduler. So every
//! stored message is delivered, even if its publisher disconnects.

mod snapshot;
mod transaction;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redb::{Database, ReadableDatabase as _, TableDefinition};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use crate::bulk_action::BulkAction;
use crate::flow_control::FlowKey;
use crate::message::Message;
use crate::plan::PlanLimits;
use crate::queue::Queue;
use crate::schedule::Schedule;
use crate::scheduler::Change;
use crate::url_group::UrlGroup;

pub(crate) use snapshot::{Order, Snapshot};
pub(crate) use transaction::Transaction;
use writer::{Committed, Job, Writer};

/// A table of JSON records by text key.
pub(crate) type RecordTable = TableDefinition<'static, &'static str, &'static [u8]>;

/// Bodies by message id, or by [`crate::schedule::body_key`].
const BODIES: RecordTable = TableDefinition::new("bodies");
/// The log, by sequence number.
const EVENTS: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("events");
/// The dead-letter queue, by the two parts of its ids.
const DEAD_LETTERS: TableDefinition<'static, (u64, u64), &'static [u8]> =
    TableDefinition::new("dead_letters");
/// Message id and expiry by deduplication key.
const DEDUPLICATION: TableDefinition<'static, &'static [u8], (&'static str, u64)> =
    TableDefinition::new("deduplication");
/// Deduplication keys by expiry.
const DEDUPLICATION_EXPIRY: TableDefinition<'static, (u64, &'static [u8]), ()> =
    TableDefinition::new("deduplication_expiry");
/// Single values: the signing keys.
const SETTINGS: RecordTable = TableDefinition::new("settings");
/// Broker time at the last commit.
const CLOCK: TableDefinition<'static, &'static str, u64> = TableDefinition::new("clock");

/// The pages that stay in memory; the others are read from the file, so memory use is flat.
const CACHE_BYTES: usize = 16 * 1024 * 1024;
const FILE: &str = "qstash.redb";

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The file or the disk failed.
    #[error("the database of the store failed")]
    Database(#[source] Box<redb::Error>),
    /// A record is not valid JSON of its type.
    #[error("a record in the store is unreadable")]
    Record(#[from] serde_json::Error),
    /// The transaction of the write was not committed; the reason is in the log.
    #[error("the write was not committed")]
    NotCommitted,
    /// The server is stopping.
    #[error("the store is closed")]
    Closed,
}

impl<E: Into<redb::Error>> From<E> for Error
where
    E: IsRedb,
{
    fn from(error: E) -> Self {
        Self::Database(Box::new(error.into()))
    }
}

/// The error types of `redb`, which all convert to its common one.
trait IsRedb {}
impl IsRedb for redb::DatabaseError {}
impl IsRedb for redb::TransactionError {}
impl IsRedb for redb::TableError {}
impl IsRedb for redb::StorageError {}
impl IsRedb for redb::CommitError {}

/// A value stored as JSON in its own table.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// The table.
    const TABLE: RecordTable;
}

/// The open store.
pub(crate) struct Store {
    database: Mutex<Option<Arc<Database>>>,
    writer: Writer,
}

/// The open file, before the first write.
pub(crate) struct Opened(Database);

impl Opened {
    /// Opens or creates the file in `folder`.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create(folder.join(FILE))?;
        let tx = database.begin_write()?;
        for table in [
            Message::TABLE,
            Queue::TABLE,
            Schedule::TABLE,
            UrlGroup::TABLE,
            FlowKey::TABLE,
            BulkAction::TABLE,
            BODIES,
            SETTINGS,
        ] {
            tx.open_table(table)?;
        }
        tx.open_table(EVENTS)?;
        tx.open_table(DEAD_LETTERS)?;
        tx.open_table(DEDUPLICATION)?;
        tx.open_table(DEDUPLICATION_EXPIRY)?;
        tx.open_table(CLOCK)?;
        tx.commit()?;
        Ok(Self(database))
    }

    /// Returns its content.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, Error> {
        Ok(Snapshot::new(self.0.begin_read()?))
    }

    /// Starts the writing thread. `limits` are the account's, `stamp` returns broker time, `applied` receives the
    /// effects of each commit on the scheduler.
    pub(crate) fn start(
        self,
        limits: PlanLimits,
        stamp: impl Fn() -> u64 + Send + 'static,
        applied: impl Fn(Vec<Change>) + Send + 'static,
    ) -> Result<Store, std::io::Error> {
        let database = Arc::new(self.0);
        let writer = Writer::start(
            Arc::clone(&database),
            limits,
            Box::new(stamp),
            Box::new(applied),
        )?;
        Ok(Store {
            database: Mutex::new(Some(database)),
            writer,
        })
    }
}

impl Store {
    /// Returns the state at the last commit.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, Error> {
        let database = self
            .database
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Ok(Snapshot::new(database.ok_or(Error::Closed)?.begin_read()?))
    }

    /// Runs `work` in a transaction and waits for its commit. It runs even if the caller disconnects.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<(T, Vec<Change>), Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |tx| {
            let (value, changes) = work(tx)?;
            let reply = Box::new(move || {
                // The caller may have disconnected; the write is valid anyway.
                let _ = reply.send(value);
            });
            Ok(Committed { changes, reply })
        });
        self.writer.send(job)?;
        answer.await.map_err(|_| Error::NotCommitted)
    }

    /// Ends the writing thread after its accepted writes, and closes the file.
    pub(crate) fn close(&self) {
        self.writer.stop();
        let database = self
            .database
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // A reader may still have the file open for a moment; the next server needs its lock.
        if let Some(database) = database {
            for _ in 0..200 {
                if Arc::strong_count(&database) == 1 {
                    break;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}
