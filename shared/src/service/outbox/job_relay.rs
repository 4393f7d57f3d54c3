//! Rows that are jobs: recorded and published, as every job is.
//!
//! The row's id is the job's id, so doing a row twice makes no second job: the record is there already, and the queue
//! knows the deduplication id, or the claim of the second delivery finds the job over.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Kind, Outbox, Outcome, Row};
use crate::base::causes::causes;
use crate::service::job::{
    self, Created, Delivery, HELD_FOR, JobOptions, JobType, Jobs, NewJob, Outgoing, Priority,
    Publisher,
};

/// Records and publishes the jobs of rows.
#[derive(Clone, Debug)]
pub struct JobRelay {
    /// The records.
    pub jobs: Jobs,
    /// The way to the queue.
    pub publisher: Publisher,
}

/// What became of rows.
#[derive(Debug)]
pub struct Relayed {
    /// One for each row, in their order.
    pub outcomes: Vec<Outcome>,
    /// What kept some of them from being done, if anything did: it is no row's fault.
    pub outage: Option<job::Error>,
}

/// A row that is read: the job that it becomes.
struct PendingJob<'a> {
    place: usize,
    row: &'a Row,
    options: JobOptions,
    job: NewJob,
}

impl JobRelay {
    /// Publishes these rows right after the commit that made them, and says how many went. What does not go is left
    /// to the sweep, so nothing is an error.
    pub async fn publish(&self, outbox: &Outbox, ids: &[String]) -> usize {
        match self.try_publish(outbox, ids).await {
            Ok(published) => published,
            Err(error) => {
                tracing::warn!(
                    error = causes(&*error),
                    "outbox rows not relayed after the commit; the next sweep relays them"
                );
                0
            }
        }
    }

    async fn try_publish(
        &self,
        outbox: &Outbox,
        ids: &[String],
    ) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
        let claimed = outbox.claim_these(&[Kind::Job], ids).await?;
        if claimed.rows.is_empty() {
            return Ok(0);
        }
        let Relayed { outcomes, outage } = self.deliver(&claimed.rows).await;
        outbox.settle(&claimed, &outcomes).await?;
        if let Some(outage) = outage {
            return Err(outage.into());
        }
        Ok(outcomes.iter().filter(|it| **it == Outcome::Done).count())
    }

    /// Records and publishes the jobs of these rows. What can never go, or is refused, holds no other up.
    pub async fn deliver(&self, rows: &[Row]) -> Relayed {
        let mut relayed = Relayed {
            outcomes: vec![Outcome::Release(Duration::ZERO); rows.len()],
            outage: None,
        };
        let mut pending_jobs = Vec::with_capacity(rows.len());
        for (place, row) in rows.iter().enumerate() {
            match pending_job(place, row) {
                Ok(pending_job) => pending_jobs.push(pending_job),
                Err(reason) => relayed.outcomes[place] = Outcome::SetAside(reason),
            }
        }
        match self.recorded(pending_jobs, &mut relayed).await {
            Ok(pending_jobs) => self.published(&pending_jobs, &mut relayed).await,
            Err(outage) => relayed.outage = Some(outage),
        }
        relayed
    }

    async fn published(&self, pending_jobs: &[PendingJob<'_>], relayed: &mut Relayed) {
        let outgoing: Vec<Outgoing<'_>> = pending_jobs.iter().map(PendingJob::outgoing).collect();
        let handover = self.publisher.hand_over(&outgoing).await;
        // The last of each key that went: what was refused before it has been overtaken, and must not follow it.
        let mut gone = HashSet::new();
        for (pending_job, delivery) in pending_jobs.iter().zip(&handover.deliveries).rev() {
            let key = pending_job.row.ordering_key.as_deref();
            relayed.outcomes[pending_job.place] = match delivery {
                Delivery::Taken => {
                    gone.extend(key);
                    Outcome::Done
                }
                Delivery::Refused(reason) => {
                    let overtaken = key.is_some_and(|key| gone.contains(key));
                    refused(pending_job.row, reason, overtaken)
                }
                Delivery::NotSent | Delivery::InDoubt => Outcome::Release(Duration::ZERO),
            };
        }
        relayed.outage = handover.outage.or(relayed.outage.take());
    }

    /// Those that have a record now. What is paused waits, and what is behind it in its order waits with it; what cannot
    /// be recorded rests. An error is an outage: some may be recorded, and all may be tried again.
    async fn recorded<'a>(
        &self,
        pending_jobs: Vec<PendingJob<'a>>,
        relayed: &mut Relayed,
    ) -> Result<Vec<PendingJob<'a>>, job::Error> {
        let wanted = pending_jobs
            .iter()
            .map(|pending_job| (&pending_job.options, &pending_job.job));
        let created = self.jobs.create_each(wanted).await?;
        let mut held = HashSet::new();
        let mut recorded = Vec::with_capacity(pending_jobs.len());
        for (pending_job, created) in pending_jobs.into_iter().zip(created) {
            let key = pending_job.row.ordering_key.as_deref();
            let waits = key.is_some_and(|key| held.contains(key));
            relayed.outcomes[pending_job.place] = match created {
                Err(error) if error.is_transient() => {
                    relayed.outage.get_or_insert(error);
                    Outcome::Release(Duration::ZERO)
                }
                Err(error) => Outcome::failed(pending_job.row, error.to_string()),
                Ok(Created::Paused) => Outcome::Release(HELD_FOR),
                Ok(_) if waits => Outcome::Release(HELD_FOR),
                Ok(_) => {
                    recorded.push(pending_job);
                    continue;
                }
            };
            held.extend(key);
        }
        Ok(recorded)
    }
}

impl PendingJob<'_> {
    fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            job_id: &self.row.id,
            job: self.options.job,
            generation: 1,
            priority: self.options.priority,
            tenant: &self.options.tenant,
            not_before: self.options.not_before,
            payload: &self.job.payload,
        }
    }
}

/// The job of a row, or why it can never be one.
fn pending_job(place: usize, row: &Row) -> Result<PendingJob<'_>, String> {
    readable(&row.payload)?;
    let columns = &row.columns;
    let job: JobType = columns
        .job_type
        .parse()
        .map_err(|_| format!("no function runs jobs of type {}", columns.job_type))?;
    let priority: Priority = columns
        .priority
        .parse()
        .map_err(|error: job::Error| error.to_string())?;
    Ok(PendingJob {
        place,
        row,
        options: JobOptions {
            job,
            priority,
            tenant: columns.tenant.clone(),
            user: columns.user.clone(),
            label: columns.label.clone(),
            not_before: columns.not_before,
        },
        job: NewJob {
            id: row.id.clone(),
            payload: row.payload.clone(),
        },
    })
}

/// Errors if no function can read the payload: `jsonb` holds deeper nesting and larger numbers than readers of JSON take.
/// It ends here, as the row's own fault, before it can fail a batch.
fn readable(payload: &str) -> Result<(), String> {
    serde_json::from_str::<Map<String, Value>>(payload)
        .map(drop)
        .map_err(|error| format!("the payload cannot be read: {error}"))
}

fn refused(row: &Row, reason: &str, overtaken: bool) -> Outcome {
    if overtaken {
        return Outcome::SetAside(format!("{reason}; what came after it has gone"));
    }
    Outcome::failed(row, reason.to_owned())
}
