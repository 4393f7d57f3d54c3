//! `PUT` and `DELETE /api/suppressions`: adds and removes one address.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input::{self, Query};
use shared::edge::{Caller, Result};
use shared::protocol::mail::EmailAddress;
use shared::service::mail::payload::Message;
use shared::service::mail::suppression::{Entry, Reason, Suppression, Suppressions};

/// An address to suppress.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = NewSuppression)]
pub struct PutSuppression {
    /// The address.
    email: EmailAddress,
    /// The reason of the suppression; default `manual`.
    reason: Option<Reason>,
    /// A note.
    note: Option<Message>,
}

/// The suppression to remove.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeleteQuery {
    /// The address, ignoring case.
    email: EmailAddress,
    /// Only remove this reason; all reasons if absent.
    reason: Option<Reason>,
}

/// Suppress an address
///
/// The address gets no more mail; for `unsubscribed`, no optional mail. Repeating the call only updates the note.
#[utoipa::path(
    put,
    operation_id = "putSuppression",
    path = "/api/suppressions",
    tag = "mail",
    request_body = PutSuppression,
    responses(
        (status = 200, description = "The suppression as listed", body = Suppression),
        GuardProblems,
        BodyProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn put(
    State(suppressions): State<Suppressions>,
    caller: Caller,
    request: input::Json<PutSuppression>,
) -> Result<Json<Suppression>> {
    caller.must_be_admin()?;
    let request = request.value;
    let listed = suppressions
        .put(&Entry {
            email: &request.email,
            reason: request.reason.unwrap_or(Reason::Manual),
            note: request.note.as_ref().map(Message::as_str),
            created_by: caller.user_id.as_deref(),
        })
        .await?;
    Ok(Json(listed))
}

/// Remove a suppression
///
/// Withheld mails are sent when their jobs are retried. An address that is not listed counts as removed.
#[utoipa::path(
    delete,
    operation_id = "deleteSuppression",
    path = "/api/suppressions",
    tag = "mail",
    params(DeleteQuery),
    responses(
        (status = 204, description = "The address is not listed"),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn remove(
    State(suppressions): State<Suppressions>,
    caller: Caller,
    Query(query): Query<DeleteQuery>,
) -> Result<StatusCode> {
    caller.must_be_admin()?;
    suppressions.remove(&query.email, query.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}
