//! `GET /api/mail-events`: what became of mails.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::edge::documented::GuardProblems;
use shared::edge::input::Query;
use shared::edge::page::Limit;
use shared::edge::{Caller, Result};
use shared::protocol::mail::EmailAddress;
use shared::service::email::Reference;
use shared::service::mail_event::{Cursor, Filter, TrackedMail};

use crate::Desk;

/// Filters for mails, and the page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct Wanted {
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
    params(Wanted),
    responses(
        (status = 200, description = "A page of mails", body = TrackedMailPage),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<TrackedMailPage>> {
    caller.must_be_admin()?;
    let page = desk
        .events
        .list(&Filter {
            request_id: wanted.request_id,
            email: wanted.email,
            job_id: wanted.job_id,
            limit: wanted.limit.into(),
            cursor: wanted.cursor,
        })
        .await?;
    Ok(Json(TrackedMailPage {
        items: page.items,
        cursor: page.cursor.map(|cursor| cursor.to_string()),
    }))
}
