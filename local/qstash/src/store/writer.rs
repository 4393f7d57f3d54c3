//! The thread that writes.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use redb::Database;

use crate::error::causes;
use crate::plan::PlanLimits;
use crate::scheduler::Change;

use super::{Error, Transaction};

/// The maximum number of writes in a transaction.
const GROUP: usize = 512;

/// A committed write: its effects on the scheduler, and its waiting caller.
pub(super) struct Committed {
    pub(super) changes: Vec<Change>,
    pub(super) reply: Box<dyn FnOnce() + Send>,
}

/// A write.
pub(super) type Job = Box<dyn FnOnce(&Transaction<'_>) -> Result<Committed, Error> + Send>;

/// The thread that writes, and its queue.
pub(super) struct Writer {
    jobs: Mutex<Option<Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(
        database: Arc<Database>,
        limits: PlanLimits,
        stamp: Box<dyn Fn() -> u64 + Send>,
        applied: Box<dyn Fn(Vec<Change>) + Send>,
    ) -> Result<Self, std::io::Error> {
        let (jobs, queue) = channel();
        let run = move || {
            while let Some(group) = next_group(&queue) {
                match commit(&database, limits, group, stamp()) {
                    Ok(committed) => {
                        for one in committed {
                            applied(one.changes);
                            (one.reply)();
                        }
                    }
                    // The dropped reply informs the waiting caller.
                    Err(error) => tracing::error!(
                        error = causes(&error),
                        "store write failed; its callers get an error"
                    ),
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("qstash-writer".to_owned())
            .spawn(run)?;
        Ok(Self {
            jobs: Mutex::new(Some(jobs)),
            thread: Mutex::new(Some(thread)),
        })
    }

    pub(super) fn send(&self, job: Job) -> Result<(), Error> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.as_ref()
            .and_then(|jobs| jobs.send(job).ok())
            .ok_or(Error::Closed)
    }

    /// Accepts no more writes, and waits for the accepted ones.
    pub(super) fn stop(&self) {
        self.jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            && thread.join().is_err()
        {
            tracing::error!("store writer thread panicked");
        }
    }
}

/// Waits for a job, and takes all that arrived with it.
fn next_group(queue: &Receiver<Job>) -> Option<Vec<Job>> {
    let mut group = vec![queue.recv().ok()?];
    group.extend(queue.try_iter().take(GROUP - 1));
    Some(group)
}

fn commit(
    database: &Database,
    limits: PlanLimits,
    group: Vec<Job>,
    broker_ms: u64,
) -> Result<Vec<Committed>, Error> {
    let tx = database.begin_write()?;
    let committed = {
        let tables = Transaction::new(&tx, limits);
        let committed = group
            .into_iter()
            .map(|job| job(&tables))
            .collect::<Result<_, _>>()?;
        tables.stamp(broker_ms)?;
        committed
    };
    tx.commit()?;
    Ok(committed)
}
