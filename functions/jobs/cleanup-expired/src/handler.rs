//! A cleanup run: its tasks in sequence, continued where the last delivery stopped.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::base::causes::causes;
use shared::base::clock::Clock;
use shared::base::env;
use shared::edge::job::Attempt;
use shared::protocol::object_storage::{self, Bucket};
use shared::protocol::postgres::Postgres;
use shared::protocol::upstash::{self, Redis};
use shared::service::audit::{self, Audit, CheckpointSigner};
use shared::service::cleanup::{self, BATCH, Cleanup, Keyspace, Task, TaskState};
use shared::service::job::Stop;
use tokio::time::Instant;

use crate::signed_documents::SignedDocuments;

/// Time reserved for the running statement before the delivery's deadline.
const MARGIN: Duration = Duration::from_secs(6);

/// The variable that names the bucket of documents and temporary files.
const DOCUMENTS_BUCKET: &str = "DOCUMENTS_BUCKET";

/// The delay of the next delivery.
const PAUSE: Duration = Duration::from_secs(1);

/// The payload of a run.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CleanupOptions {
    /// Only count; delete nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Why a task failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Cleanup(#[from] cleanup::Error),
    #[error(transparent)]
    Audit(#[from] audit::Error),
    #[error("the Redis keys could not be scanned")]
    Redis(#[from] upstash::Error),
    #[error(transparent)]
    Objects(#[from] object_storage::Error),
    #[error("{0} audit chains are broken; see GET /api/audit/verify")]
    BrokenChains(usize),
}

/// The result of a task.
pub(crate) enum TaskResult {
    /// Nothing is left to do.
    Done(Option<Value>),
    /// The time ran out.
    OutOfTime,
}

/// Runs the cleanup.
pub(crate) struct CleanupHandler {
    pub(crate) cleanup: Cleanup,
    pub(crate) audit: Audit,
    pub(crate) signer: CheckpointSigner,
    pub(crate) documents: Bucket,
    pub(crate) signed: SignedDocuments,
    pub(crate) retention_days: u32,
    keyspace: Keyspace,
    clock: Clock,
}

impl CleanupHandler {
    pub(crate) fn from_env(redis: &Redis) -> Result<Self, env::Error> {
        let postgres = Postgres::from_env()?;
        Ok(Self {
            cleanup: Cleanup::new(postgres.clone()),
            audit: Audit::new(postgres),
            signer: CheckpointSigner::from_env()?,
            documents: Bucket::from_env(DOCUMENTS_BUCKET)?,
            signed: SignedDocuments::from_env()?,
            retention_days: env::parsed_or("RETENTION_DAYS", 2555)?,
            keyspace: Keyspace::new(redis.clone()),
            clock: Clock::system(),
        })
    }

    /// Returns the instant before which evidence of a kind may be deleted. The longer retention of this function and
    /// the database applies.
    pub(crate) async fn retained_since(&self, what: &str) -> Result<Timestamp, Error> {
        let own = u64::from(self.retention_days);
        let days = own.max(self.cleanup.retention_days(what).await?);
        let hours = i64::try_from(days.saturating_mul(24)).unwrap_or(i64::MAX);
        let before = Timestamp::checked_sub(self.clock.now(), SignedDuration::from_hours(hours));
        Ok(before.unwrap_or(Timestamp::MIN))
    }

    pub(crate) async fn clean(
        &self,
        attempt: &Attempt<'_>,
        options: &CleanupOptions,
    ) -> Result<Value, Stop> {
        if options.dry_run {
            return self.count().await.map_err(Stop::retry);
        }
        let run = attempt.job_id();
        let failed = self.tasks(attempt, run).await?;
        let states = self.cleanup.states(run).await;
        if failed.is_empty() {
            return Ok(result(&states.map_err(Stop::retry)?));
        }
        Err(Stop::Retry {
            error: format!(
                "failed tasks: {}; the other tasks completed",
                failed.join(", ")
            ),
            after: None,
        })
    }

    /// Runs the unfinished tasks of the run. Returns the names of those that failed.
    async fn tasks(&self, attempt: &Attempt<'_>, run: &str) -> Result<Vec<&'static str>, Stop> {
        let deadline = attempt.deadline().checked_sub(MARGIN);
        let deadline = deadline.unwrap_or_else(Instant::now);
        let states = self.cleanup.states(run).await;
        let states = states.map_err(Stop::retry)?;
        let is_done = |task: Task| {
            let mut of_task = states.iter().filter(|it| it.task == task.name());
            of_task.any(|state| state.done)
        };
        let mut failed = Vec::new();
        for (place, task) in Task::ALL.into_iter().enumerate() {
            if is_done(task) {
                continue;
            }
            let (place, all) = (place as u64, Task::ALL.len() as u64);
            attempt.progress(place, all).await?;
            let name = task.name();
            match self.task(run, task, deadline).await {
                Ok(TaskResult::Done(detail)) => {
                    let done = self.cleanup.done(run, task, detail.as_ref()).await;
                    done.map_err(Stop::retry)?;
                }
                Ok(TaskResult::OutOfTime) => {
                    return Err(Stop::continue_after(
                        PAUSE,
                        format!("task {name} is unfinished"),
                    ));
                }
                Err(error) => {
                    tracing::error!(
                        task = name,
                        error = causes(&error),
                        "clean-up task failed; the other tasks continue"
                    );
                    failed.push(name);
                }
            }
        }
        Ok(failed)
    }

    async fn task(&self, run: &str, task: Task, deadline: Instant) -> Result<TaskResult, Error> {
        match task {
            Task::TempFiles => self.temp_files(run, deadline).await,
            Task::CacheKeys => {
                let seen = self.keyspace.scan().await?;
                Ok(TaskResult::Done(Some(json!(seen))))
            }
            Task::EndedRequests => self.ended_requests(run, deadline).await,
            Task::AuditEvents => self.audit_events(run, deadline).await,
            _ => self.sweep(run, task, deadline).await,
        }
    }

    async fn sweep(&self, run: &str, task: Task, deadline: Instant) -> Result<TaskResult, Error> {
        for sweep in task.sweeps() {
            while self.cleanup.sweep(run, task, sweep).await? == BATCH {
                if Instant::now() >= deadline {
                    return Ok(TaskResult::OutOfTime);
                }
            }
        }
        Ok(TaskResult::Done(None))
    }

    /// Returns the counts that a run would delete now, if no audit chain turns out to be broken.
    async fn count(&self) -> Result<Value, Error> {
        let mut tasks = BTreeMap::new();
        let mut total = 0;
        for task in Task::ALL {
            let mut rows = 0;
            for sweep in task.sweeps() {
                rows += self.cleanup.count(sweep).await?;
            }
            match task {
                Task::TempFiles => rows = self.cleanup.count_temp_files().await?,
                Task::CacheKeys => {
                    tasks.insert(task.name(), json!(self.keyspace.scan().await?));
                    continue;
                }
                Task::EndedRequests => {
                    let before = self.retained_since("requests").await?;
                    rows = self.cleanup.count_ended_requests(before).await?;
                }
                Task::AuditEvents => {
                    let before = self.retained_since("audit").await?;
                    rows = self.cleanup.count_audit_events(before).await?;
                }
                _ => {}
            }
            total += rows;
            tasks.insert(task.name(), json!({ "wouldRemove": rows }));
        }
        Ok(json!({ "dryRun": true, "tasks": tasks, "wouldClean": total }))
    }
}

/// Returns the totals of a run over all of its deliveries.
fn result(states: &[TaskState]) -> Value {
    let total: u64 = states.iter().map(|state| state.removed).sum();
    let tasks: BTreeMap<&str, Value> = states
        .iter()
        .map(|state| {
            let mut summary = json!({ "removed": state.removed });
            if let (Some(detail), Some(members)) = (&state.detail, summary.as_object_mut()) {
                members.insert("detail".to_owned(), detail.clone());
            }
            (state.task.as_str(), summary)
        })
        .collect();
    json!({ "dryRun": false, "tasks": tasks, "totalCleaned": total })
}
