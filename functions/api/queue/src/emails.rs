//! `POST /api/queue/emails`: one e-mail job.

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use shared::edge::input::invalid;
use shared::edge::{Caller, Result};
use shared::service::job::{JobType, Priority};
use shared::service::mail::payload::Email;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::Queue;
use crate::accepted::Accepted;
use crate::idempotency::IdempotencyKey;
use crate::request::EnqueueRequest;
use crate::timing::{ExclusiveDelay, Timing};

const ROUTE: &str = "/api/queue/emails";

/// The request body: an e-mail, and when to send it.
// The schema documents a body that is parsed in two steps, so that an error can name the field.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnqueueEmail {
    #[serde(flatten)]
    email: Email,
    #[serde(flatten)]
    timing: Timing,
    #[serde(flatten)]
    wait: ExclusiveDelay,
    #[serde(flatten)]
    identity: SupersedesRule,
}

/// Documents that a mail that replaces another goes to a signer of a request, whose ids are required. A bulk has no
/// such member.
#[derive(Debug, Serialize)]
pub struct SupersedesRule {}

impl PartialSchema for SupersedesRule {
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

impl ToSchema for SupersedesRule {
    fn name() -> std::borrow::Cow<'static, str> {
        "Superseding".into()
    }
}

fn constant(value: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some([value]))
}

/// Enqueue an e-mail
///
/// The job is recorded when the call returns; follow it with `GET /api/queue/jobs/{jobId}`. A bulk becomes one job per
/// hundred recipients, as on the bulk route.
#[utoipa::path(
    post,
    operation_id = "enqueueEmail",
    path = "/api/queue/emails",
    tag = "queue",
    request_body = EnqueueEmail,
    params(IdempotencyKey, Caller),
    responses(Accepted),
    security(("serviceToken" = []))
)]
pub async fn enqueue(State(queue): State<Queue>, request: EnqueueRequest) -> Result<Accepted> {
    let (parts, default_priority) = match email(&request.body.value)? {
        Email::Bulk(bulk) => {
            let parts = bulk.split().into_iter().map(Email::Bulk);
            (parts.collect(), Priority::Low)
        }
        email => (vec![email], Priority::Normal),
    };
    queue
        .enqueue_one(JobType::Email, ROUTE, &request, parts, default_priority)
        .await
}

/// Parses the payload. Errors with the name of the invalid field.
pub(crate) fn email(value: &Value) -> Result<Email> {
    Email::parse(value).map_err(|error| invalid(error.pointer(), error.reason()))
}
