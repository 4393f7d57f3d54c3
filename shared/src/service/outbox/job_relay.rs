//! Outbox rows that are jobs: recorded and published, like every job.
//!
//! The row's id is the job's id, so processing a row twice creates no second job. The record exists already. QStash
//! knows the deduplication id, or the claim of the second delivery finds that the job has ended.

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
    /// The job records.
    pub jobs: Jobs,
    /// The publisher of their messages.
    pub publisher: Publisher,
}

/// The result of relaying rows.
#[derive(Debug)]
pub struct Relayed {
    /// One for each row, in order.
    pub outcomes: Vec<Outcome>,
    /// The outage that prevented some of them, if there was one: it is not a fault of the rows.
    pub outage: Option<job::Error>,
}

/// A row that was read, with its job.
struct PendingJob<'a> {
    place: usize,
    row: &'a Row,
    options: JobOptions,
    job: NewJob,
}

impl JobRelay {
    /// Publishes these rows directly after the commit that wrote them, and returns how many were published. The sweep
    /// publishes the others, so no failure is an error.
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

    /// Records and publishes the jobs of these rows. A row that can never be published, or is rejected, does not block
    /// others.
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
        // The last published row of each key: a rejected row before it was overtaken, and must not follow it.
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

    /// Returns the rows whose jobs are recorded now. A paused job waits, and so do later rows of its ordering key; a
    /// row that cannot be recorded is retried later. An error is an outage: some may be recorded, and all may be
    /// retried.
    async fn recorded<'a>(
        &self,
        pending_jobs: Vec<PendingJob<'a>>,
        relayed: &mut Relayed,
    ) -> Result<Vec<PendingJob<'a>>, job::Error> {
        let requests = pending_jobs
            .iter()
            .map(|pending_job| (&pending_job.options, &pending_job.job));
        let created = self.jobs.create_each(requests).await?;
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

/// Returns the job of a row, or why it can never become one.
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

/// Errors if no function can parse the payload: `jsonb` allows deeper nesting and larger numbers than JSON parsers. It
/// is rejected here, as a fault of its row, before it can fail a batch.
fn readable(payload: &str) -> Result<(), String> {
    serde_json::from_str::<Map<String, Value>>(payload)
        .map(drop)
        .map_err(|error| format!("the payload cannot be read: {error}"))
}

fn refused(row: &Row, reason: &str, overtaken: bool) -> Outcome {
    if overtaken {
        return Outcome::SetAside(format!(
            "{reason}; a later row of its ordering key is already published"
        ));
    }
    Outcome::failed(row, reason.to_owned())
}
