//! `PUT` and `DELETE /api/suppressions`: one address, put on the list and taken off it.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input::{self, Query};
use shared::edge::{Caller, Result};
use shared::protocol::mail::EmailAddress;
use shared::service::email::Message;
use shared::service::suppression::{Entry, Reason, Suppression, Suppressions};

/// What is put on the list.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = NewSuppression)]
pub struct Wanted {
    /// The address.
    email: EmailAddress,
    /// Why it gets no mail; `manual` if absent.
    reason: Option<Reason>,
    /// A word on it.
    note: Option<Message>,
}

/// What is taken off it.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Lifted {
    /// The address, in whatever case.
    email: EmailAddress,
    /// Only for this reason; for every one if absent.
    reason: Option<Reason>,
}

/// Put an address on the list.
///
/// It gets no mail from then on; for `unsubscribed`, no optional one. Repeated, it changes the note and nothing else.
#[utoipa::path(
    put,
    operation_id = "putSuppression",
    path = "/api/suppressions",
    tag = "mail",
    request_body = Wanted,
    responses(
        (status = 200, description = "The address as it is listed", body = Suppression),
        GuardProblems,
        BodyProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn put(
    State(suppressions): State<Suppressions>,
    caller: Caller,
    wanted: input::Json<Wanted>,
) -> Result<Json<Suppression>> {
    caller.must_be_admin()?;
    let wanted = wanted.value;
    let listed = suppressions
        .put(&Entry {
            email: &wanted.email,
            reason: wanted.reason.unwrap_or(Reason::Manual),
            note: wanted.note.as_ref().map(Message::as_str),
            created_by: caller.user_id.as_deref(),
        })
        .await?;
    Ok(Json(listed))
}

/// Take an address off the list.
///
/// Mails that were held back are sent when their jobs are retried. What is not on the list is gone already.
#[utoipa::path(
    delete,
    operation_id = "deleteSuppression",
    path = "/api/suppressions",
    tag = "mail",
    params(Lifted),
    responses(
        (status = 204, description = "It is not on the list"),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn remove(
    State(suppressions): State<Suppressions>,
    caller: Caller,
    Query(lifted): Query<Lifted>,
) -> Result<StatusCode> {
    caller.must_be_admin()?;
    suppressions.remove(&lifted.email, lifted.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}
