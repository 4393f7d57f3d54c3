//! The responses of the routes that enqueue jobs.

use std::collections::BTreeMap;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use shared::edge::documented::{BodyProblems, GuardProblems, problem};
use shared::service::job::Status;
use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder, response};
use utoipa::{IntoResponses, ToSchema};

use crate::enqueue::Enqueued;

/// An enqueued job.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// The id to follow the job by.
    job_id: String,
    /// Always `queued`.
    status: Status,
    /// The label of all jobs, if there are several: `GET /api/queue/jobs?label={batchId}` lists them.
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_id: Option<String>,
    /// The ids of all jobs, if there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    job_ids: Option<Vec<String>>,
}

/// An enqueued batch.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceptedBatch {
    /// The label of all jobs: `GET /api/queue/jobs?label={batchId}` lists them.
    batch_id: String,
    /// The ids of the jobs, in the order of their contents.
    job_ids: Vec<String>,
}

impl Accepted {
    pub(crate) fn of(enqueued: Enqueued) -> Self {
        let many = enqueued.ids.len() > 1;
        Self {
            job_id: enqueued.ids.first().cloned().unwrap_or_default(),
            status: Status::Queued,
            batch_id: many.then_some(enqueued.label),
            job_ids: many.then_some(enqueued.ids),
        }
    }
}

impl AcceptedBatch {
    pub(crate) fn of(enqueued: Enqueued) -> Self {
        Self {
            batch_id: enqueued.label,
            job_ids: enqueued.ids,
        }
    }
}

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, Json(self)).into_response()
    }
}

impl IntoResponse for AcceptedBatch {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, Json(self)).into_response()
    }
}

type Documented = BTreeMap<String, RefOr<response::Response>>;

impl IntoResponses for Accepted {
    fn responses() -> Documented {
        let id = "$response.body#/jobId";
        documented::<Self>(&[
            ("job", "getJob", "jobId", id),
            ("cancel", "cancelJob", "jobId", id),
            ("retry", "retryJob", "jobId", id),
        ])
    }
}

impl IntoResponses for AcceptedBatch {
    fn responses() -> Documented {
        documented::<Self>(&[
            ("jobs", "listJobs", "label", "$response.body#/batchId"),
            ("firstJob", "getJob", "jobId", "$response.body#/jobIds/0"),
        ])
    }
}

/// Returns the documentation of a route's responses. Each link has its name, its operation, and the parameter that the
/// response fills.
fn documented<T: ToSchema>(links: &[(&str, &str, &str, &str)]) -> Documented {
    let body = Ref::from_schema_name(T::name());
    let mut accepted = ResponseBuilder::new()
        .description("Recorded and enqueued")
        .content(
            "application/json",
            ContentBuilder::new().schema(Some(body)).build(),
        );
    for &(name, operation, parameter, value) in links {
        let link = LinkBuilder::new()
            .operation_id(operation)
            .parameter(parameter, value);
        accepted = accepted.link(name, link.build());
    }
    let reused = problem("The Idempotency-Key was already used with a different body");
    let own = [("202", accepted), ("409", reused)];
    let own = own.map(|(status, response)| (status.to_owned(), response.build().into()));
    let mut all = Documented::from(own);
    all.extend(BodyProblems::responses());
    all.extend(GuardProblems::responses());
    all
}
