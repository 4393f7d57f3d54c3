//! From a read request to jobs in the queue: record first, then publish.

use http::StatusCode;
use shared::edge::{Caller, Problem, Result};
use shared::service::job::{
    Cancelled, Created, HELD_FOR, Idempotency, JobType, NewJob, Order, Outgoing, Priority, Refusal,
    Sight,
};

use crate::Queue;
use crate::timing::Timing;

/// Jobs that were taken.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Their ids, in the order of the request.
    pub(crate) ids: Vec<String>,
    /// Their label: the batch's id, where there is one.
    pub(crate) label: String,
}

impl Queue {
    /// What the jobs of one request have in common; their priority is `usual` unless the caller names one.
    pub(crate) fn order(
        &self,
        job: JobType,
        caller: &Caller,
        timing: &Timing,
        usual: Priority,
        label: String,
    ) -> Result<Order> {
        Ok(Order {
            job,
            priority: timing.priority.unwrap_or(usual),
            tenant: caller.tenant().to_owned(),
            user: caller.user_id.clone().unwrap_or_default(),
            label,
            not_before: timing.not_before(self.clock.now())?,
        })
    }

    /// Records and publishes `jobs`. When the store or the queue does not take them the answer is 503, and they are
    /// withdrawn, so that a caller who asks again gets one job and not two; with an idempotency key they stay, and
    /// asking again with it publishes them.
    pub(crate) async fn enqueue(
        &self,
        order: &Order,
        jobs: &[NewJob],
        idempotency: Option<&Idempotency>,
    ) -> Result<Taken> {
        let created = match self.jobs.create(order, jobs, idempotency).await {
            Err(error) if error.is_ambiguous() && idempotency.is_none() => {
                self.withdraw(&own_ids(jobs)).await;
                return Err(error.into());
            }
            settled => settled?,
        };
        let (ids, label) = match created {
            Created::Conflict => return Err(reused_key()),
            Created::Paused => return Err(paused(order.job)),
            Created::Same {
                ids,
                label,
                unclaimed: false,
            } => return Ok(Taken { ids, label }),
            Created::Same {
                ids,
                label,
                unclaimed: true,
            } => (ids, label),
            Created::New => (own_ids(jobs), order.label.clone()),
        };
        let outgoing: Vec<Outgoing<'_>> = ids
            .iter()
            .zip(jobs)
            .map(|(id, job)| outgoing(order, id, job))
            .collect();
        if let Err(error) = self.publisher.publish(&outgoing).await {
            if idempotency.is_some() || self.withdraw(&ids).await {
                return Err(error.into());
            }
            tracing::warn!(%error, "the queue has taken what it did not confirm");
        }
        Ok(Taken { ids, label })
    }

    /// Cancels what could not be enqueued. What cannot be reached for it stays recorded, and shows as queued. False if
    /// the first job has begun: then the queue has the messages, and only its answer was lost.
    async fn withdraw(&self, ids: &[String]) -> bool {
        match self.jobs.cancel_each(ids, Sight::ALL).await {
            Ok(outcomes) => {
                tracing::warn!(jobs = ids.len(), "withdrawn");
                !matches!(outcomes.first(), Some(Cancelled::Not(Refusal::Status(_))))
            }
            Err(error) => {
                tracing::error!(%error, "cannot withdraw");
                true
            }
        }
    }
}

fn own_ids(jobs: &[NewJob]) -> Vec<String> {
    jobs.iter().map(|job| job.id.clone()).collect()
}

fn outgoing<'a>(order: &'a Order, id: &'a str, job: &'a NewJob) -> Outgoing<'a> {
    Outgoing {
        job_id: id,
        job: order.job,
        generation: 1,
        priority: order.priority,
        tenant: &order.tenant,
        not_before: order.not_before,
        payload: &job.payload,
    }
}

fn paused(job: JobType) -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "jobs_paused",
        format!("Jobs of type {job} are paused. Ask again later: nothing was enqueued."),
    )
    .after(HELD_FOR)
}

fn reused_key() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "idempotency_key_reused",
        "This Idempotency-Key came before with another body. Use a new key for a new wish.",
    )
}
