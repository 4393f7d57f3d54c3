//! `GET /api/mail-events`: lists mails with their delivery state.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::edge::documented::GuardProblems;
use shared::edge::input::Query;
use shared::edge::page::Limit;
use shared::edge::{Caller, Result};
use shared::protocol::mail::EmailAddress;
use shared::service::mail::event::{Cursor, Filter, TrackedMail};
use shared::service::mail::payload::Reference;

use crate::AppState;

/// Filters for mails, and the page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only mails of this signing request.
    request_id: Option<Reference>,
    /// Only mails of this job.
    job_id: Option<Reference>,
    /// Only mails to this address, ignoring case.
    email: Option<EmailAddress>,
    /// Mails per page: 1 to 100, default 20.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// The `cursor` of the previous page.
    #[param(inline, value_type = Cursor, required = false)]
    cursor: Option<Cursor>,
}

/// A page of mails.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TrackedMailPage {
    /// The mails, newest first.
    items: Vec<TrackedMail>,
    /// The cursor of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// List tracked mails
///
/// Returns one item per mail and recipient, newest first. State and delivery come from the ledger and from the
/// provider's events.
#[utoipa::path(
    get,
    operation_id = "listMailEvents",
    path = "/api/mail-events",
    tag = "mail",
    params(ListQuery),
    responses(
        (status = 200, description = "A page of mails", body = TrackedMailPage),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<TrackedMailPage>> {
    caller.must_be_admin()?;
    let page = state
        .events
        .list(&Filter {
            request_id: query.request_id,
            email: query.email,
            job_id: query.job_id,
            limit: query.limit.into(),
            cursor: query.cursor,
        })
        .await?;
    Ok(Json(TrackedMailPage {
        items: page.items,
        cursor: page.cursor.map(|cursor| cursor.to_string()),
    }))
}
