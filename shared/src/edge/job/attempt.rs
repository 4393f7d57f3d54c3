//! The interface between the work of one attempt and its job.

use std::sync::Mutex;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Worker;
use crate::service::job::{
    Claim, Created, Error, HELD_FOR, JobOptions, NewJob, Outgoing, Progress, Stop,
};

/// The minimum time between two writes of the progress: each is a request.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// A running attempt.
#[derive(Debug)]
pub struct Attempt<'a> {
    worker: &'a Worker,
    claim: &'a Claim,
    checkpoint: &'a Value,
    deadline: Instant,
    last_progress: Mutex<Instant>,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(
        worker: &'a Worker,
        claim: &'a Claim,
        checkpoint: &'a Value,
        deadline: Instant,
    ) -> Self {
        Self {
            worker,
            claim,
            checkpoint,
            deadline,
            last_progress: Mutex::new(Instant::now()),
        }
    }

    /// Returns the job's id. It is the same in every attempt, so idempotency keys may contain it.
    #[must_use]
    pub fn job_id(&self) -> &str {
        &self.claim.job_id
    }

    /// Returns the job's tenant: a domain, a user, or `-`.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.claim.tenant
    }

    /// Returns the acting user of the job; empty for the service itself.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.claim.user
    }

    /// Returns the number of this attempt, from 1.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.claim.attempt
    }

    /// Returns the state that an earlier attempt passed on with [`Stop::Continue`]. The default if there is none, or if
    /// another version wrote it.
    #[must_use]
    pub fn checkpoint<T: DeserializeOwned + Default>(&self) -> T {
        T::deserialize(self.checkpoint).unwrap_or_default()
    }

    /// Returns the instant at which the work must stop; the rest is deferred.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Reports the progress; it is written at most once a second. Stops the work if another delivery has claimed the
    /// job. An unavailable store does not stop it: the commit decides.
    pub async fn progress(&self, done: u64, total: u64) -> Result<(), Stop> {
        if !self.is_time() {
            return Ok(());
        }
        match self
            .worker
            .jobs
            .progress(self.claim, Progress { done, total })
            .await
        {
            Ok(false) => Err(Stop::Retry {
                error: "another delivery took over this job".into(),
                after: None,
            }),
            Ok(true) | Err(_) => Ok(()),
        }
    }

    /// Creates one job for each payload, in place of this job, because the message holds more than one job can do.
    /// Their label is this job's id, and a repetition creates the same ids. Returns the job's result.
    pub async fn split<T: Serialize>(
        &self,
        parts: impl IntoIterator<Item = T>,
    ) -> Result<Value, Stop> {
        let claim = self.claim;
        let jobs = parts.into_iter().zip(1..).map(|(part, number)| {
            let payload = serde_json::to_string(&part)?;
            let id = format!("{}-{number}", claim.job_id);
            Ok(NewJob { id, payload })
        });
        let jobs = jobs.collect::<Result<Vec<_>, Error>>();
        let jobs = jobs.map_err(Stop::reject)?;
        let options = JobOptions {
            job: claim.job,
            priority: claim.priority,
            tenant: claim.tenant.clone(),
            user: claim.user.clone(),
            label: claim.job_id.clone(),
            not_before: None,
        };
        let created = self.worker.jobs.create(&options, &jobs, None).await;
        if created.map_err(Stop::retry)? == Created::Paused {
            return Err(Stop::defer(
                HELD_FOR,
                format!("jobs of type {} are paused", claim.job),
            ));
        }
        let outgoing = jobs.iter().map(|job| Outgoing {
            job_id: &job.id,
            job: claim.job,
            generation: 1,
            priority: claim.priority,
            tenant: &claim.tenant,
            not_before: None,
            payload: &job.payload,
        });
        let outgoing: Vec<Outgoing<'_>> = outgoing.collect();
        let published = self.worker.publisher.publish(&outgoing).await;
        published.map_err(Stop::retry)?;
        Ok(json!({ "jobs": jobs.len(), "batchId": claim.job_id }))
    }

    /// Returns whether the interval since the last progress write is over; if so, starts the next one.
    fn is_time(&self) -> bool {
        let Ok(mut last_progress) = self.last_progress.lock() else {
            return false;
        };
        let due = last_progress.elapsed() >= PROGRESS_INTERVAL;
        if due {
            *last_progress = Instant::now();
        }
        due
    }
}
