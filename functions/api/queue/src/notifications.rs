//! `POST /api/queue/notifications`: one notification job.

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use shared::edge::input::invalid;
use shared::edge::{Caller, Result};
use shared::service::job::{JobType, Priority};
use shared::service::notification::Notification;
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::Queue;
use crate::accepted::Accepted;
use crate::idempotency::IdempotencyKey;
use crate::request::EnqueueRequest;
use crate::timing::{ExclusiveDelay, Timing};

const ROUTE: &str = "/api/queue/notifications";

/// The request body: a notification, and when to send it.
// The schema documents a body that is parsed in two steps, so that an error can name the field.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnqueueNotification {
    #[serde(flatten)]
    notification: Notification,
    #[serde(flatten)]
    timing: Timing,
    #[serde(flatten)]
    wait: ExclusiveDelay,
    #[serde(flatten)]
    recipient: RecipientRule,
}

/// Documents that each notification has a recipient: a user id, the request, or the signer's address.
#[derive(Debug, Serialize)]
pub struct RecipientRule {}

impl PartialSchema for RecipientRule {
    fn schema() -> RefOr<Schema> {
        let with = |member: &str, is: ObjectBuilder| {
            ObjectBuilder::new()
                .schema_type(Type::Object)
                .property(member, is)
                .required(member)
        };
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let of_types = |types: &[&str]| text().enum_values(Some(types.to_vec()));
        let user = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
        let words = || text().pattern(Some(r"\S"));
        AnyOfBuilder::new()
            .item(with("userId", user))
            .item(
                with("notifications", ObjectBuilder::new().schema_type(Type::Array))
                    .property("type", of_types(&["bulk_notification"])),
            )
            .item(with("requestId", words()).property(
                "type",
                of_types(&[
                    "signature_completed",
                    "document_expiry_warning",
                    "document_expired",
                    "pdf_generation_completed",
                ]),
            ))
            .item(with("signerEmail", words()).property("type", of_types(SIGNERS)))
            .item(with("nextSignerEmail", words()).property("type", of_types(SIGNERS)))
            .description(Some(
                "`userId` is the recipient; without it, the owner of the request or the signer's account.",
            ))
            .into()
    }
}

/// The types that go to a signer.
const SIGNERS: &[&str] = &[
    "signature_request",
    "sequential_signature_request",
    "reminder",
];

impl ToSchema for RecipientRule {
    fn name() -> std::borrow::Cow<'static, str> {
        "Somebody".into()
    }
}

/// Enqueue a notification
///
/// The job adds the notification to the user's inbox, publishes an event, and notifies the user's browsers. Follow it
/// with `GET /api/queue/jobs/{jobId}`. A bulk becomes one job per hundred notifications, as on the bulk route.
#[utoipa::path(
    post,
    operation_id = "enqueueNotification",
    path = "/api/queue/notifications",
    tag = "queue",
    request_body = EnqueueNotification,
    params(IdempotencyKey, Caller),
    responses(Accepted),
    security(("serviceToken" = []))
)]
pub async fn enqueue(State(queue): State<Queue>, request: EnqueueRequest) -> Result<Accepted> {
    let (parts, default_priority) = match notification(&request.body.value)? {
        Notification::BulkNotification(bulk) => {
            let parts = bulk.split().into_iter();
            let parts = parts.map(Notification::BulkNotification);
            (parts.collect(), Priority::Low)
        }
        notification => (vec![notification], Priority::Normal),
    };
    let job = JobType::Notification;
    queue
        .enqueue_one(job, ROUTE, &request, parts, default_priority)
        .await
}

/// Parses the payload. Errors with the name of the invalid field.
pub(crate) fn notification(value: &Value) -> Result<Notification> {
    Notification::parse(value).map_err(|error| invalid(error.pointer(), error.reason()))
}
