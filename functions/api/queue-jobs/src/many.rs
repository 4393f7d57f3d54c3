//! Many jobs at once: redriving the dead, cancelling those that wait. Both can be asked first how many that would be.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input::{self, invalid};
use shared::edge::instant::Instant;
use shared::edge::schema::{Documented, Interdependent};
use shared::edge::{Caller, Result};
use shared::service::job::{Cancelled, JobType, Outgoing, Redriven, Wanted};
use tokio::time;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use crate::Desk;

/// Jobs that go with one request to each store.
const PART: usize = 100;

/// How long one call goes on; what is left is told, and the same call again goes on with it.
const LONGEST: Duration = Duration::from_secs(15);

/// The longest text to look for, in characters.
const LONGEST_TEXT: usize = 320;

/// The dead jobs to redrive: all that match.
#[derive(Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetryMany {
    /// Only jobs of this type.
    #[serde(rename = "type", default)]
    job: Option<JobType>,
    /// Only jobs whose error contains this text exactly.
    #[serde(default)]
    #[schema(max_length = 320)]
    error: Option<String>,
    /// Only jobs that died at or after this instant.
    #[serde(default)]
    from: Option<Instant>,
    /// Only count the jobs.
    #[serde(default)]
    dry_run: bool,
}

/// The waiting jobs to cancel: all that match. Pass `type` or `label`.
#[derive(Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CancelMany {
    /// Only jobs of this type.
    #[serde(rename = "type", default)]
    job: Option<JobType>,
    /// Only jobs with this label, such as a batch id.
    #[serde(default)]
    #[schema(max_length = 320)]
    label: Option<String>,
    /// Only jobs of this tenant: a domain, or a user without a domain.
    #[serde(default)]
    #[schema(max_length = 320)]
    tenant: Option<String>,
    /// Only count the jobs.
    #[serde(default)]
    dry_run: bool,
}

impl Interdependent for CancelMany {
    fn alternatives() -> Vec<Object> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let named = |name: &str, text| ObjectBuilder::new().property(name, text).required(name);
        vec![
            named("type", text()).build(),
            named("label", text().min_length(Some(1))).build(),
        ]
    }
}

/// Documents which jobs are to be cancelled.
type CancelJobs = Documented<CancelMany>;

/// The result for all matching jobs.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Jobs that matched at the time of the call.
    matched: usize,
    /// Matching jobs that were redriven or cancelled.
    done: usize,
    /// Matching jobs that changed in the meantime, or have no payload to redrive.
    refused: usize,
    /// Matching jobs that are left because time ran out. Repeat the call to continue.
    remaining: usize,
    /// Whether more jobs may match: one call examines 10,000 jobs.
    more: bool,
    /// Whether the jobs were only counted.
    dry_run: bool,
}

/// Redrive dead jobs
///
/// Publishes each job again under a new generation; completed parts are not repeated. Users redrive their own jobs,
/// domain administrators those of their domain.
#[utoipa::path(
    post,
    operation_id = "retryJobs",
    path = "/api/queue/jobs/retry",
    tag = "jobs",
    params(Caller),
    request_body = RetryMany,
    responses(
        (status = 200, description = "The result for all matching jobs", body = Outcome),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn retry(
    State(desk): State<Desk>,
    caller: Caller,
    input::Json { value: wish, .. }: input::Json<RetryMany>,
) -> Result<Json<Outcome>> {
    let wanted = Wanted {
        job: wish.job,
        dead: true,
        error: text(wish.error.as_deref(), "/error")?,
        label: "",
        tenant: "",
        from: wish.from.map(Timestamp::from),
        sight: caller.sight(),
    };
    let found = desk.jobs.find(&wanted).await?;
    let mut outcome = Outcome::of(found.ids.len(), found.more, wish.dry_run);
    let until = time::Instant::now() + LONGEST;
    for ids in outcome.parts(&found.ids) {
        if time::Instant::now() >= until {
            break;
        }
        let jobs = desk.jobs.redrive_each(ids, caller.sight()).await?;
        let ready: Vec<Outgoing<'_>> = jobs.iter().filter_map(outgoing).collect();
        desk.publisher.publish(&ready).await?;
        outcome.count(ids.len(), ready.len());
    }
    Ok(Json(outcome))
}

/// Cancel waiting jobs
///
/// Cancels jobs that are queued, deferred, or failed and waiting for a retry. Running jobs are not affected.
#[utoipa::path(
    post,
    operation_id = "cancelJobs",
    path = "/api/queue/jobs/cancel",
    tag = "jobs",
    params(Caller),
    request_body = CancelJobs,
    responses(
        (status = 200, description = "The result for all matching jobs", body = Outcome),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn cancel(
    State(desk): State<Desk>,
    caller: Caller,
    input::Json { value: wish, .. }: input::Json<CancelMany>,
) -> Result<Json<Outcome>> {
    let label = text(wish.label.as_deref(), "/label")?;
    if wish.job.is_none() && label.is_empty() {
        return Err(invalid("/type", "is required without label"));
    }
    let wanted = Wanted {
        job: wish.job,
        dead: false,
        error: "",
        label,
        tenant: text(wish.tenant.as_deref(), "/tenant")?,
        from: None,
        sight: caller.sight(),
    };
    let found = desk.jobs.find(&wanted).await?;
    let mut outcome = Outcome::of(found.ids.len(), found.more, wish.dry_run);
    let until = time::Instant::now() + LONGEST;
    for ids in outcome.parts(&found.ids) {
        if time::Instant::now() >= until {
            break;
        }
        let jobs = desk.jobs.cancel_each(ids, caller.sight()).await?;
        let done = jobs.iter().filter(|it| matches!(it, Cancelled::Done(_)));
        outcome.count(ids.len(), done.count());
    }
    Ok(Json(outcome))
}

impl Outcome {
    fn of(matched: usize, more: bool, dry_run: bool) -> Self {
        Self {
            matched,
            remaining: matched,
            more,
            dry_run,
            ..Self::default()
        }
    }

    /// What is to be done, part by part: nothing where only the count was asked for.
    fn parts<'a>(&self, ids: &'a [String]) -> std::slice::Chunks<'a, String> {
        if self.dry_run { &[] } else { ids }.chunks(PART)
    }

    fn count(&mut self, tried: usize, done: usize) {
        self.done += done;
        self.refused += tried - done;
        self.remaining -= tried;
    }
}

/// The message of a job that was made ready, if it was.
fn outgoing(redriven: &Redriven) -> Option<Outgoing<'_>> {
    let Redriven::Ready {
        generation,
        payload,
        not_before,
        job,
    } = redriven
    else {
        return None;
    };
    Some(Outgoing {
        job_id: &job.job_id,
        job: job.job.parse().ok()?,
        generation: *generation,
        priority: job.priority,
        tenant: &job.tenant,
        not_before: *not_before,
        payload,
    })
}

/// A text to look for; absent, it matches everything.
fn text<'a>(text: Option<&'a str>, pointer: &'static str) -> Result<&'a str> {
    let text = text.unwrap_or_default();
    if text.chars().count() > LONGEST_TEXT {
        return Err(invalid(pointer, "must not be longer than 320 characters"));
    }
    Ok(text)
}
