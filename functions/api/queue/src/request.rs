//! The common part of all enqueue requests: the caller, the idempotency key and the timing.

use axum::extract::{FromRequest, FromRequestParts as _, Request};
use serde::Serialize;
use serde_json::Value;
use shared::base::id;
use shared::edge::input::{self, Json};
use shared::edge::{Caller, Problem, Result};
use shared::service::job::{Error, JobOptions, JobType, NewJob, Priority, must_fit};

use crate::Queue;
use crate::accepted::{Accepted, AcceptedBatch};
use crate::enqueue::Enqueued;
use crate::idempotency::IdempotencyKey;
use crate::timing::Timing;

/// A request to enqueue jobs. Its body is JSON; each route parses its own payload from it.
#[derive(Debug)]
pub struct EnqueueRequest {
    pub(crate) caller: Caller,
    key: IdempotencyKey,
    /// The body, which an Idempotency-Key identifies.
    pub(crate) body: Json<Value>,
}

impl<S: Send + Sync> FromRequest<S> for EnqueueRequest {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let (mut parts, body) = request.into_parts();
        Ok(Self {
            caller: Caller::from_request_parts(&mut parts, state).await?,
            key: IdempotencyKey::from_request_parts(&mut parts, state).await?,
            body: Json::from_request(Request::from_parts(parts, body), state).await?,
        })
    }
}

impl Queue {
    /// Enqueues one job with this payload, or one job for each part if it exceeds one job. The priority is the given
    /// one unless the caller sets one.
    pub(crate) async fn enqueue_one<T: Serialize>(
        &self,
        job: JobType,
        route: &str,
        request: &EnqueueRequest,
        parts: impl IntoIterator<Item = T>,
        default_priority: Priority,
    ) -> Result<Accepted> {
        let jobs = new_jobs(parts)?;
        let label = if jobs.len() > 1 {
            id::sortable()
        } else {
            String::new()
        };
        let options = self.job_options(job, request, default_priority, label)?;
        let enqueued = self.enqueue_jobs(&options, route, request, &jobs).await?;
        Ok(Accepted::of(enqueued))
    }

    /// Enqueues a job for each part, all under one label. A bulk has low priority unless the caller sets one, so that
    /// no single job waits behind it.
    pub(crate) async fn enqueue_batch<T: Serialize>(
        &self,
        job: JobType,
        route: &str,
        request: &EnqueueRequest,
        parts: impl Iterator<Item = T>,
    ) -> Result<AcceptedBatch> {
        let jobs = new_jobs(parts)?;
        let options = self.job_options(job, request, Priority::Low, id::sortable())?;
        let enqueued = self.enqueue_jobs(&options, route, request, &jobs).await?;
        Ok(AcceptedBatch::of(enqueued))
    }

    fn job_options(
        &self,
        job: JobType,
        request: &EnqueueRequest,
        default_priority: Priority,
        label: String,
    ) -> Result<JobOptions> {
        let timing: Timing = input::fit(&request.body.value)?;
        self.options(job, &request.caller, &timing, default_priority, label)
    }

    async fn enqueue_jobs(
        &self,
        options: &JobOptions,
        route: &str,
        request: &EnqueueRequest,
        jobs: &[NewJob],
    ) -> Result<Enqueued> {
        for job in jobs {
            must_fit(&job.payload)?;
        }
        let key = request.key.of(&request.caller, route, &request.body.value);
        self.enqueue(options, jobs, key.as_ref()).await
    }
}

fn new_jobs<T: Serialize>(parts: impl IntoIterator<Item = T>) -> Result<Vec<NewJob>> {
    let jobs = parts
        .into_iter()
        .map(|part| NewJob::new(&part).map_err(Error::from));
    Ok(jobs.collect::<std::result::Result<_, _>>()?)
}
