//! `POST /api/queue/emails`: one e-mail job.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input::{self, Json, invalid};
use shared::edge::problem::ProblemDocument;
use shared::edge::{Caller, Result};
use shared::service::email::Email;
use shared::service::job::{JobType, NewJob, Status};
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::Queue;
use crate::enqueue::{Taken, accepted};
use crate::idempotency::IdempotencyKey;
use crate::timing::{OneWait, Timing};

const ROUTE: &str = "/api/queue/emails";

/// A job that was taken.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// Under this id the job can be followed.
    pub job_id: String,
    /// Always `queued`.
    pub status: Status,
}

impl Accepted {
    /// The answer to a request for one job.
    pub(crate) fn of(taken: Taken) -> Self {
        Self {
            job_id: taken.ids.into_iter().next().unwrap_or_default(),
            status: Status::Queued,
        }
    }
}

/// The body: an e-mail, and when it is to be sent.
// It documents what is read in two steps, so that an error can name the field.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnqueueEmail {
    #[serde(flatten)]
    email: Email,
    #[serde(flatten)]
    timing: Timing,
    #[serde(flatten)]
    wait: OneWait,
    #[serde(flatten)]
    identity: Superseding,
}

/// Documents that a mail which takes the place of another is one to a signer of a request, whose ids are needed. A bulk
/// has no such member.
#[derive(Debug, Serialize)]
pub struct Superseding {}

impl PartialSchema for Superseding {
    fn schema() -> RefOr<Schema> {
        let object = || ObjectBuilder::new().schema_type(Type::Object);
        let text = || {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .pattern(Some(r"\S"))
        };
        AnyOfBuilder::new()
            .item(object().property("supersedes", Ref::from_schema_name("Blank")))
            .item(object().property("type", constant("bulk")))
            .item(
                object()
                    .property("requestId", text())
                    .required("requestId")
                    .property("signerId", text())
                    .required("signerId"),
            )
            .description(Some("`supersedes` needs `requestId` and `signerId`."))
            .into()
    }
}

impl ToSchema for Superseding {}

fn constant(value: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some([value]))
}

/// Enqueue an e-mail.
///
/// The record exists when this answers; follow it under `GET /api/queue/jobs/{jobId}`.
#[utoipa::path(
    post,
    operation_id = "enqueueEmail",
    path = "/api/queue/emails",
    tag = "queue",
    request_body = EnqueueEmail,
    params(IdempotencyKey, Caller),
    responses(
        (
            status = 202,
            description = "Recorded and handed to the queue",
            body = Accepted,
            links(
                ("job" = (operation_id = "getJob", parameters(("jobId" = "$response.body#/jobId")))),
                ("cancel" = (operation_id = "cancelJob", parameters(("jobId" = "$response.body#/jobId")))),
                ("retry" = (operation_id = "retryJob", parameters(("jobId" = "$response.body#/jobId"))))
            )
        ),
        (
            status = 409,
            description = "The Idempotency-Key came before with another body",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn enqueue(
    State(queue): State<Queue>,
    caller: Caller,
    key: IdempotencyKey,
    Json { value, bytes }: Json<Value>,
) -> Result<Response> {
    let email = email(&value)?;
    let timing: Timing = input::fit(&value)?;
    let order = queue.order(JobType::Email, &caller, &timing, String::new())?;
    let job = NewJob::new(&email).map_err(shared::service::job::Error::from)?;
    let key = key.of(&caller, ROUTE, &bytes);
    let taken = queue.enqueue(&order, &[job], key.as_ref()).await?;
    Ok(accepted(&Accepted::of(taken)))
}

/// Reads the payload, or names the field that is wrong.
pub(crate) fn email(value: &Value) -> Result<Email> {
    Email::parse(value).map_err(|error| invalid(error.pointer(), error.reason()))
}
