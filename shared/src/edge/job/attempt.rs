//! What the work of one attempt may know and say.

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

/// Progress is written this often at the most: each time is a request.
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

    /// The job's id: the same in every attempt, which makes it part of idempotency keys.
    #[must_use]
    pub fn job_id(&self) -> &str {
        &self.claim.job_id
    }

    /// Whose job it is: a domain, a user, or `-`.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.claim.tenant
    }

    /// Who the job was made for; empty for the service itself.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.claim.user
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.claim.attempt
    }

    /// What an attempt before has left for this one by [`Stop::Continue`]; the default where there was none, or another
    /// version wrote it.
    #[must_use]
    pub fn checkpoint<T: DeserializeOwned + Default>(&self) -> T {
        T::deserialize(self.checkpoint).unwrap_or_default()
    }

    /// When the work must stop; what does not fit is deferred.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Tells how far the work is; at most once a second it is written. Stops the work if another delivery has taken
    /// the job over. A store that does not answer is no reason to stop: the commit decides.
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

    /// Makes a job of each of these payloads, in place of this job: what came in one message is more than one job does.
    /// They have this job's id as their label, and ids of which a repetition makes the same. Gives the job's result.
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

    /// Whether progress was last told long enough ago; if so, the next interval begins.
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
