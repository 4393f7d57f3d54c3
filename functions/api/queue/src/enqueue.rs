//! Enqueues the jobs of a parsed request: records them first, then publishes them.

use http::StatusCode;
use shared::base::causes::causes;
use shared::edge::{Caller, Problem, Result};
use shared::protocol::qstash::Refusal;
use shared::service::job::{
    Created, Delivery, Error, HELD_FOR, Idempotency, Incoming, JobOptions, JobType, NewJob,
    Outgoing, Priority, RecordState, Status, Viewer,
};

use crate::Queue;
use crate::timing::Timing;

/// Accepted jobs.
#[derive(Debug)]
pub(crate) struct Enqueued {
    /// Their ids, in the order of the request.
    pub(crate) ids: Vec<String>,
    /// Their label: the batch id, if there is one.
    pub(crate) label: String,
}

impl Queue {
    /// Returns the options that all jobs of a request share. The priority is `default_priority` unless the caller sets
    /// one.
    pub(crate) fn options(
        &self,
        job: JobType,
        caller: &Caller,
        timing: &Timing,
        default_priority: Priority,
        label: String,
    ) -> Result<JobOptions> {
        Ok(JobOptions {
            job,
            priority: timing.priority.unwrap_or(default_priority),
            tenant: caller.tenant().to_owned(),
            user: caller.user_id.clone().unwrap_or_default(),
            label,
            not_before: timing.not_before(self.clock.now())?,
        })
    }

    /// Records and publishes `jobs`.
    ///
    /// An acknowledged job is in the queue, or at least recorded together with published ones; the sweep publishes the
    /// rest. Jobs that were certainly not published are cancelled, so that a repeated call creates one job and not two.
    /// With an idempotency key nothing is cancelled, and a repeated call with the same key continues.
    pub(crate) async fn enqueue(
        &self,
        options: &JobOptions,
        jobs: &[NewJob],
        idempotency: Option<&Idempotency>,
    ) -> Result<Enqueued> {
        let created = match self.jobs.create(options, jobs, idempotency).await {
            // Some jobs may be recorded nevertheless, but none is published.
            Err(error) if idempotency.is_none() && (error.is_ambiguous() || jobs.len() > 1) => {
                self.cancel(&own_ids(jobs)).await;
                return Err(error.into());
            }
            settled => settled?,
        };
        let (ids, label, not_before) = match created {
            Created::Conflict => return Err(reused_key()),
            Created::Paused => return Err(paused(options.job)),
            Created::New => (own_ids(jobs), options.label.clone(), options.not_before),
            Created::Same {
                ids,
                label,
                record_state,
                not_before,
            } => match record_state {
                RecordState::Known => return Ok(Enqueued { ids, label }),
                RecordState::Unclaimed => (ids, label, not_before),
                RecordState::Gone => {
                    self.record_again(options, jobs, &ids, &label).await?;
                    (ids, label, options.not_before)
                }
            },
        };
        let outgoing: Vec<Outgoing<'_>> = ids
            .iter()
            .zip(jobs)
            .map(|(id, job)| Outgoing {
                not_before,
                ..outgoing(options, id, job)
            })
            .collect();
        self.publish(&outgoing, idempotency.is_some()).await?;
        Ok(Enqueued { ids, label })
    }

    /// Recreates the records that an idempotency key still refers to, under the same ids. Effects of those jobs are
    /// recognised by these ids.
    async fn record_again(
        &self,
        options: &JobOptions,
        jobs: &[NewJob],
        ids: &[String],
        label: &str,
    ) -> Result<()> {
        tracing::warn!(
            jobs = ids.len(),
            "job records of an Idempotency-Key missing; recorded again"
        );
        let options = JobOptions {
            label: label.to_owned(),
            ..options.clone()
        };
        let jobs: Vec<NewJob> = ids
            .iter()
            .zip(jobs)
            .map(|(id, job)| NewJob {
                id: id.clone(),
                payload: job.payload.clone(),
            })
            .collect();
        let created = self
            .jobs
            .create_each(jobs.iter().map(|job| (&options, job)));
        for created in created.await? {
            if created? == Created::Paused {
                return Err(paused(options.job));
            }
        }
        Ok(())
    }

    /// Publishes recorded jobs, twice if the first attempt is ambiguous.
    async fn publish(&self, jobs: &[Outgoing<'_>], is_repeatable: bool) -> Result<()> {
        let mut deliveries = vec![Delivery::NotSent; jobs.len()];
        let mut outage = None;
        for _ in 0..2 {
            let left = places(&deliveries, &[Delivery::NotSent, Delivery::InDoubt]);
            let outgoing: Vec<Outgoing<'_>> = left.iter().map(|place| jobs[*place]).collect();
            let handover = self.publisher.hand_over(&outgoing).await;
            outage = handover.outage;
            for (place, delivery) in left.into_iter().zip(handover.deliveries) {
                // A second request that was not sent does not decide the first one.
                if delivery != Delivery::NotSent {
                    deliveries[place] = delivery;
                }
            }
            let settled = |it: &Delivery| matches!(it, Delivery::Taken | Delivery::Refused(_));
            let nothing_went =
                |it: &Delivery| matches!(it, Delivery::NotSent | Delivery::Refused(_));
            if deliveries.iter().all(settled) || deliveries.iter().all(nothing_went) {
                break;
            }
        }
        self.settle(jobs, &deliveries, outage, is_repeatable).await
    }

    /// Returns the response for the caller and handles the jobs that the queue does not have.
    async fn settle(
        &self,
        jobs: &[Outgoing<'_>],
        deliveries: &[Delivery],
        outage: Option<Error>,
        is_repeatable: bool,
    ) -> Result<()> {
        if deliveries.iter().all(|it| *it == Delivery::Taken) {
            return Ok(());
        }
        let has_some = deliveries.contains(&Delivery::Taken);
        if has_some || self.is_claimed(jobs, deliveries).await {
            self.mark_refused(jobs, deliveries).await;
            let left = places(deliveries, &[Delivery::NotSent, Delivery::InDoubt]).len();
            tracing::warn!(
                left,
                "enqueue confirmed in part; the sweep publishes the rest"
            );
            return Ok(());
        }
        if !is_repeatable && !deliveries.contains(&Delivery::InDoubt) {
            let ids: Vec<String> = jobs.iter().map(|job| job.job_id.to_owned()).collect();
            self.cancel(&ids).await;
        }
        Err(match (outage, refusal(deliveries)) {
            (Some(outage), _) => outage.into(),
            (None, reason) => Error::Refused(Refusal(reason.to_owned())).into(),
        })
    }

    /// Returns whether a delivery has claimed one of the ambiguous jobs. If so, the queue accepted the request and only
    /// its response was lost.
    async fn is_claimed(&self, jobs: &[Outgoing<'_>], deliveries: &[Delivery]) -> bool {
        let ids: Vec<&str> = places(deliveries, &[Delivery::InDoubt])
            .into_iter()
            .map(|place| jobs[place].job_id)
            .collect();
        match self.jobs.get_each(&ids).await {
            Ok(jobs) => jobs
                .iter()
                .flatten()
                .any(|job| job.status != Status::Queued),
            Err(error) => {
                tracing::warn!(
                    error = causes(&error),
                    "job records unreadable; enqueue not confirmed"
                );
                false
            }
        }
    }

    /// Marks jobs that the queue rejected while it accepted others, with the reason. They can be redriven.
    async fn mark_refused(&self, jobs: &[Outgoing<'_>], deliveries: &[Delivery]) {
        for (job, delivery) in jobs.iter().zip(deliveries) {
            let Delivery::Refused(reason) = delivery else {
                continue;
            };
            let incoming = Incoming {
                job_id: job.job_id,
                job: job.job,
                message_id: "-",
                generation: job.generation,
                payload: job.payload,
            };
            if let Err(error) = self.jobs.fail(incoming, reason).await {
                tracing::error!(
                    job_id = job.job_id,
                    error = causes(&error),
                    "rejected job not marked dead; the sweep publishes it again"
                );
            }
        }
    }

    /// Cancels jobs that were certainly not published. If Redis is unavailable, they stay queued and the sweep
    /// publishes them.
    async fn cancel(&self, ids: &[String]) {
        match self.jobs.cancel_each(ids, Viewer::ALL).await {
            Ok(_) => tracing::warn!(
                jobs = ids.len(),
                "enqueue failed; unpublished jobs cancelled"
            ),
            Err(error) => tracing::error!(
                error = causes(&error),
                "unpublished jobs not cancelled; the sweep publishes them"
            ),
        }
    }
}

/// Returns the indices of the jobs with these delivery results.
fn places(deliveries: &[Delivery], so: &[Delivery]) -> Vec<usize> {
    let places = deliveries.iter().enumerate();
    let places = places.filter(|(_, delivery)| so.contains(delivery));
    places.map(|(place, _)| place).collect()
}

/// Returns the first reason why the queue rejected a job.
fn refusal(deliveries: &[Delivery]) -> &str {
    let reasons = deliveries.iter().find_map(|delivery| match delivery {
        Delivery::Refused(reason) => Some(reason.as_str()),
        _ => None,
    });
    reasons.unwrap_or_default()
}

fn own_ids(jobs: &[NewJob]) -> Vec<String> {
    jobs.iter().map(|job| job.id.clone()).collect()
}

fn outgoing<'a>(options: &'a JobOptions, id: &'a str, job: &'a NewJob) -> Outgoing<'a> {
    Outgoing {
        job_id: id,
        job: options.job,
        generation: 1,
        priority: options.priority,
        tenant: &options.tenant,
        not_before: options.not_before,
        payload: &job.payload,
    }
}

fn paused(job: JobType) -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "jobs_paused",
        format!("Jobs of type {job} are paused. Nothing was enqueued. Try again later."),
    )
    .after(HELD_FOR)
}

fn reused_key() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "idempotency_key_reused",
        "This Idempotency-Key was already used with a different body.",
    )
}
