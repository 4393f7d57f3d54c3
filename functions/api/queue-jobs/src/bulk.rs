//! Many jobs at once: redrives dead jobs and cancels waiting jobs. Both have a dry run that only counts.

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
use shared::service::job::{BulkFilter, Cancelled, JobType, Outgoing, Redriven};
use tokio::time;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use crate::AppState;

/// Jobs in one request to each store.
const BATCH: usize = 100;

/// The time limit of one call. The response states the remaining jobs; the same call again continues with them.
const TIME_LIMIT: Duration = Duration::from_secs(15);

/// The longest search text, in characters.
const MAX_TEXT_LEN: usize = 320;

/// The dead jobs to redrive: all that match.
#[derive(Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RetryMany)]
pub struct BulkRetry {
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
#[schema(as = CancelMany)]
pub struct BulkCancel {
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

impl Interdependent for BulkCancel {
    fn alternatives() -> Vec<Object> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let named = |name: &str, text| ObjectBuilder::new().property(name, text).required(name);
        vec![
            named("type", text()).build(),
            named("label", text().min_length(Some(1))).build(),
        ]
    }
}

/// The schema of the jobs to cancel.
type CancelJobs = Documented<BulkCancel>;

/// The result for all matching jobs.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Outcome)]
pub struct BulkResult {
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
    request_body = BulkRetry,
    responses(
        (status = 200, description = "The result for all matching jobs", body = BulkResult),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn retry(
    State(state): State<AppState>,
    caller: Caller,
    input::Json { value: request, .. }: input::Json<BulkRetry>,
) -> Result<Json<BulkResult>> {
    let filter = BulkFilter {
        job: request.job,
        dead: true,
        error: text(request.error.as_deref(), "/error")?,
        label: "",
        tenant: "",
        from: request.from.map(Timestamp::from),
        viewer: caller.job_viewer(),
    };
    let found = state.jobs.find(&filter).await?;
    let mut outcome = BulkResult::of(found.ids.len(), found.more, request.dry_run);
    let until = time::Instant::now() + TIME_LIMIT;
    for ids in outcome.parts(&found.ids) {
        if time::Instant::now() >= until {
            break;
        }
        let jobs = state.jobs.redrive_each(ids, caller.job_viewer()).await?;
        let ready: Vec<Outgoing<'_>> = jobs.iter().filter_map(outgoing).collect();
        state.publisher.publish(&ready).await?;
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
        (status = 200, description = "The result for all matching jobs", body = BulkResult),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn cancel(
    State(state): State<AppState>,
    caller: Caller,
    input::Json { value: request, .. }: input::Json<BulkCancel>,
) -> Result<Json<BulkResult>> {
    let label = text(request.label.as_deref(), "/label")?;
    if request.job.is_none() && label.is_empty() {
        return Err(invalid("/type", "is required without label"));
    }
    let filter = BulkFilter {
        job: request.job,
        dead: false,
        error: "",
        label,
        tenant: text(request.tenant.as_deref(), "/tenant")?,
        from: None,
        viewer: caller.job_viewer(),
    };
    let found = state.jobs.find(&filter).await?;
    let mut outcome = BulkResult::of(found.ids.len(), found.more, request.dry_run);
    let until = time::Instant::now() + TIME_LIMIT;
    for ids in outcome.parts(&found.ids) {
        if time::Instant::now() >= until {
            break;
        }
        let jobs = state.jobs.cancel_each(ids, caller.job_viewer()).await?;
        let done = jobs.iter().filter(|it| matches!(it, Cancelled::Done(_)));
        outcome.count(ids.len(), done.count());
    }
    Ok(Json(outcome))
}

impl BulkResult {
    fn of(matched: usize, more: bool, dry_run: bool) -> Self {
        Self {
            matched,
            remaining: matched,
            more,
            dry_run,
            ..Self::default()
        }
    }

    /// Returns the ids in batches; none for a dry run.
    fn parts<'a>(&self, ids: &'a [String]) -> std::slice::Chunks<'a, String> {
        if self.dry_run { &[] } else { ids }.chunks(BATCH)
    }

    fn count(&mut self, tried: usize, done: usize) {
        self.done += done;
        self.refused += tried - done;
        self.remaining -= tried;
    }
}

/// Returns the message of a redriven job, if it was redriven.
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

/// Returns a valid search text. An absent text matches everything.
fn text<'a>(text: Option<&'a str>, pointer: &'static str) -> Result<&'a str> {
    let text = text.unwrap_or_default();
    if text.chars().count() > MAX_TEXT_LEN {
        return Err(invalid(pointer, "must not be longer than 320 characters"));
    }
    Ok(text)
}
