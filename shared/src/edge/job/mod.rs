//! A job: verify, claim, run, commit, and report the outcome to the queue.
//!
//! | result of the work | record | response to the queue |
//! |---|---|---|
//! | done | completed | 200 |
//! | [`Stop::Retry`], or no time left, or a first panic | failed | 503 with Retry-After |
//! | [`Stop::Reject`], or a second panic, or an unreadable payload | dead | 489, non-retryable |
//! | [`Stop::Defer`], [`Stop::Continue`] | deferred, after the next message was published | 200 |
//!
//! A lease of another attempt gives 503 with its remaining time. A job that has ended, or has a newer message, gives
//! 200. A message with the id of a job of another type gives 489, and that job is not changed.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::api::panic_text;
use super::fatal::Fatal;
use super::webhook::{Call, DeliveryHandler, Outcome, Webhook};
use crate::base::causes::causes;
use crate::base::clock::Clock;
use crate::base::env;
use crate::protocol::qstash::Receiver;
use crate::protocol::upstash::Redis;
use crate::service::job::{
    AttemptOutcome, Claim, Claimed, Continuation, Continued, Deferral, HELD_FOR, Incoming, JobType,
    Jobs, Outgoing, Plan, Publisher, Stop, Tracking, stretched,
};

mod attempt;
mod backoff;
mod queue_stop;

pub use attempt::Attempt;
pub use queue_stop::queue_stop;

/// The minimum wait before the next delivery when the store is unavailable: most outages are shorter. Each job adds its
/// own jitter, because all of them fail at the same time.
const OUTAGE_WAIT: Duration = Duration::from_secs(10);

/// The work of one type of job.
pub trait Work: Sync {
    /// The payload of a message of this type.
    type Payload: DeserializeOwned + Send;

    /// Does the work of one attempt, and returns the result or why it stops. It may run more than once.
    fn run(
        &self,
        attempt: &Attempt<'_>,
        payload: Self::Payload,
    ) -> impl Future<Output = Result<Value, Stop>> + Send;
}

/// A worker together with its work.
struct WorkAdapter<'a, W> {
    worker: &'a Worker,
    work: &'a W,
}

impl<W: Work> DeliveryHandler for WorkAdapter<'_, W> {
    async fn handle(&self, call: &Call) -> Outcome {
        self.worker.deliver(call, self.work).await
    }
}

/// A worker that runs one type of job.
#[derive(Debug)]
pub struct Worker {
    webhook: Webhook,
    jobs: Jobs,
    publisher: Publisher,
    plan: &'static Plan,
}

impl Worker {
    /// Returns a worker for `job`, with the receiver and clients of the environment.
    pub fn from_env(job: JobType, redis: &Redis) -> Result<Self, env::Error> {
        let plan = job.plan();
        Ok(Self {
            webhook: Webhook {
                function: plan.handler,
                about: json!({ "service": plan.service }),
                receiver: Receiver::from_env()?,
                usage: redis.usage().clone(),
                clock: Clock::system(),
            },
            jobs: Jobs::new(redis.clone()),
            publisher: Publisher::from_env()?,
            plan,
        })
    }

    /// Adds the kinds of payload that this function accepts to the answer to a GET request.
    #[must_use]
    pub fn supporting(self, types: &[&str]) -> Self {
        self.with_detail("supportedTypes", &json!(types))
    }

    /// Adds a member to the answer to a GET request.
    #[must_use]
    pub fn with_detail(mut self, name: &str, value: &Value) -> Self {
        self.webhook.about[name] = value.clone();
        self
    }

    /// Serves deliveries until the instance ends.
    pub async fn serve(&self, work: &impl Work) -> Result<(), Fatal> {
        let adapter = WorkAdapter { worker: self, work };
        self.webhook.serve(&adapter).await
    }

    /// Handles one delivery.
    async fn deliver<W: Work>(&self, call: &Call, work: &W) -> Outcome {
        let tracking: Tracking = call.body.decode().unwrap_or_default();
        let message_id = call.delivery.message_id.as_deref();
        let Some(job_id) = tracking.job_id.as_deref().or(message_id) else {
            return Outcome::Reject("the delivery has no job id and no message id".into());
        };
        call.delivers(job_id);
        let incoming = Incoming {
            job_id,
            job: self.plan.job,
            message_id: message_id.unwrap_or("-"),
            generation: tracking.generation.unwrap_or(1),
            payload: std::str::from_utf8(call.body.body()).unwrap_or_default(),
        };
        let payload = match call.body.decode::<W::Payload>() {
            Ok(payload) => payload,
            Err(error) => return self.unreadable(incoming, Stop::reject(error)).await,
        };
        match self.jobs.claim(incoming).await {
            Ok(Claimed::Run(claim)) => {
                let continuation = continuation(call, &tracking);
                self.run(call, incoming, claim, continuation, payload, work)
                    .await
            }
            Ok(Claimed::Busy(left)) => {
                Outcome::Retry(left, "another delivery is running this job".into())
            }
            Ok(Claimed::Over) => {
                Outcome::Ack(json!({ "success": true, "jobId": job_id, "repeated": true }))
            }
            Ok(Claimed::Superseded) => {
                Outcome::Ack(json!({ "success": true, "jobId": job_id, "superseded": true }))
            }
            Ok(Claimed::Foreign) => Outcome::Reject("the job has a different type".into()),
            Err(error) => {
                tracing::error!(
                    error = causes(&error),
                    "job not claimed; QStash delivers it again"
                );
                Outcome::Retry(
                    stretched(OUTAGE_WAIT, job_id),
                    "the job record is unavailable".into(),
                )
            }
        }
    }

    /// Rejects an unreadable payload, and marks the record dead if the store is available. The record keeps the payload
    /// if it is an object, because a later version may read it; any other value could not be published again.
    async fn unreadable(&self, mut incoming: Incoming<'_>, reason: Stop) -> Outcome {
        let reason = reason.to_string();
        if serde_json::from_str::<Map<String, Value>>(incoming.payload).is_err() {
            incoming.payload = "";
        }
        if let Err(error) = self.jobs.fail(incoming, &reason).await {
            tracing::error!(
                error = causes(&error),
                "unreadable job not marked dead; the failure callback marks it"
            );
        }
        Outcome::Reject(reason)
    }

    /// Runs a claimed attempt and commits it.
    async fn run<W: Work>(
        &self,
        call: &Call,
        incoming: Incoming<'_>,
        claim: Claim,
        continuation: Continuation,
        payload: W::Payload,
        work: &W,
    ) -> Outcome {
        if claim.paused {
            let held = Stop::defer(HELD_FOR, format!("jobs of type {} are paused", claim.job));
            let (attempt_outcome, answer) = self
                .stopped(call, &claim, incoming.payload, &continuation, held)
                .await;
            return self.commit(&claim, &attempt_outcome, answer).await;
        }
        let attempt = Attempt::new(self, &claim, &continuation.checkpoint, call.deadline);
        let running = AssertUnwindSafe(work.run(&attempt, payload)).catch_unwind();
        let (attempt_outcome, answer) = match tokio::time::timeout_at(call.deadline, running).await
        {
            Ok(Ok(Ok(result))) => {
                let body = json!({ "success": true, "jobId": claim.job_id, "result": result });
                (AttemptOutcome::Completed(result), Outcome::Ack(body))
            }
            Ok(Ok(Err(stop))) => {
                self.stopped(call, &claim, incoming.payload, &continuation, stop)
                    .await
            }
            Ok(Err(panic)) => panicked(
                &claim,
                panic_text(&*panic),
                self.plan.wait_of(&claim.job_id, call.delivery.retried),
            ),
            Err(_) => self.retry(call, &claim, "the attempt timed out".into(), None),
        };
        self.commit(&claim, &attempt_outcome, answer).await
    }

    /// Commits the outcome; only then is the queue answered.
    async fn commit(
        &self,
        claim: &Claim,
        attempt_outcome: &AttemptOutcome,
        answer: Outcome,
    ) -> Outcome {
        match self.jobs.commit(claim, attempt_outcome).await {
            Ok(true) => answer,
            // The next message is published, and its delivery has already claimed the job.
            Ok(false) if matches!(attempt_outcome, AttemptOutcome::Deferred(_)) => answer,
            Ok(false) => Outcome::Retry(
                stretched(OUTAGE_WAIT, &claim.job_id),
                "another delivery took over this job".into(),
            ),
            Err(error) => {
                tracing::error!(
                    error = causes(&error),
                    "job outcome not committed; QStash delivers the job again"
                );
                let wait = stretched(self.plan.lease, &claim.job_id);
                Outcome::Retry(wait, "the job record is unavailable".into())
            }
        }
    }

    async fn stopped(
        &self,
        call: &Call,
        claim: &Claim,
        payload: &str,
        continuation: &Continuation,
        stop: Stop,
    ) -> (AttemptOutcome, Outcome) {
        match stop {
            Stop::Retry { error, after } => {
                tracing::warn!(reason = error, "attempt failed; QStash retries the job");
                self.retry(call, claim, error, after)
            }
            Stop::Reject(error) => {
                tracing::warn!(reason = error, "attempt failed; the job is dead");
                (AttemptOutcome::Dead(error.clone()), Outcome::Reject(error))
            }
            Stop::Defer { after, reason } => {
                tracing::warn!(
                    reason,
                    "attempt deferred; a later message continues the job"
                );
                let deferral = Deferral {
                    at: self.webhook.clock.now() + backoff::wait(after, continuation.deferrals),
                    reason,
                };
                let next = Continuation {
                    checkpoint: continuation.checkpoint.clone(),
                    deferrals: continuation.deferrals.saturating_add(1),
                };
                self.deferred(call, claim, payload, &next, deferral).await
            }
            Stop::Continue {
                after,
                checkpoint,
                reason,
            } => {
                tracing::warn!(
                    reason,
                    "attempt incomplete; the next message continues the job"
                );
                let deferral = Deferral {
                    at: self.webhook.clock.now() + backoff::bounded(after),
                    reason,
                };
                let next = Continuation {
                    checkpoint,
                    deferrals: 0,
                };
                self.deferred(call, claim, payload, &next, deferral).await
            }
        }
    }

    fn retry(
        &self,
        call: &Call,
        claim: &Claim,
        error: String,
        after: Option<Duration>,
    ) -> (AttemptOutcome, Outcome) {
        let planned = || self.plan.wait_of(&claim.job_id, call.delivery.retried);
        let wait = after.map_or_else(planned, backoff::bounded);
        (
            AttemptOutcome::Failed(error.clone()),
            Outcome::Retry(wait, error),
        )
    }

    /// Publishes the next message before the commit: a crash in between then repeats the work instead of losing the
    /// job.
    async fn deferred(
        &self,
        call: &Call,
        claim: &Claim,
        payload: &str,
        continuation: &Continuation,
        deferral: Deferral,
    ) -> (AttemptOutcome, Outcome) {
        let payload = match continuation.within(payload) {
            Ok(payload) => payload,
            Err(error) => return self.retry(call, claim, error.to_string(), None),
        };
        let next = Outgoing {
            job_id: &claim.job_id,
            job: claim.job,
            generation: claim.generation + 1,
            priority: claim.priority,
            tenant: &claim.tenant,
            not_before: Some(deferral.at),
            payload: &payload,
        };
        match self.publisher.publish(&[next]).await {
            Ok(()) => {
                let (id, at) = (next.job_id, deferral.at);
                let body = json!({ "success": true, "jobId": id, "deferredUntil": at });
                (AttemptOutcome::Deferred(deferral), Outcome::Ack(body))
            }
            Err(error) => match queue_stop(error, self.plan.handler, self.webhook.clock.now()) {
                Stop::Reject(error) => {
                    (AttemptOutcome::Dead(error.clone()), Outcome::Reject(error))
                }
                Stop::Retry { error, after } => {
                    let error = format!("{}; deferring the job failed: {error}", deferral.reason);
                    self.retry(call, claim, error, after)
                }
                stop => self.retry(call, claim, stop.to_string(), None),
            },
        }
    }
}

/// Returns the state of an earlier attempt. Only a message that continues a job is parsed again for it.
fn continuation(call: &Call, tracking: &Tracking) -> Continuation {
    if !tracking.goes_on() {
        return Continuation::default();
    }
    let message: Continued = call.body.decode().unwrap_or_default();
    message.continued
}

/// Returns the outcome of a panic. The first is retried, because it may be transient; the second is a fault of the code
/// or the payload.
fn panicked(claim: &Claim, text: &str, wait: Duration) -> (AttemptOutcome, Outcome) {
    tracing::error!(
        panic = text,
        "job handler panicked; a second panic marks the job dead"
    );
    let error = format!("panicked: {text}");
    if claim.panics == 0 {
        (
            AttemptOutcome::Panicked(error),
            Outcome::Retry(wait, "the job handler panicked".into()),
        )
    } else {
        (
            AttemptOutcome::Dead(error),
            Outcome::Reject("the job handler panicked again".into()),
        )
    }
}
