//! `GET /api/suppressions`: a page of the list.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::edge::documented::GuardProblems;
use shared::edge::input::Query;
use shared::edge::page::Limit;
use shared::edge::{Caller, Result};
use shared::protocol::mail::EmailAddress;
use shared::service::mail::suppression::{Filter, Reason, Suppression, Suppressions};
use shared::service::page::Cursor;

/// Filters for suppressions, and the page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only this address, ignoring case.
    email: Option<EmailAddress>,
    /// Only this reason.
    reason: Option<Reason>,
    /// Items per page: 1 to 100, default 20.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// The `cursor` of the previous page.
    #[param(inline, value_type = Cursor, required = false)]
    cursor: Option<Cursor>,
}

/// A page of suppressions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SuppressionPage {
    /// The suppressions, newest first.
    items: Vec<Suppression>,
    /// The cursor of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// List suppressed addresses
///
/// Returns the suppressions, newest first. An address is listed once per reason.
#[utoipa::path(
    get,
    operation_id = "listSuppressions",
    path = "/api/suppressions",
    tag = "mail",
    params(ListQuery),
    responses(
        (status = 200, description = "A page of suppressions", body = SuppressionPage),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn list(
    State(suppressions): State<Suppressions>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<SuppressionPage>> {
    caller.must_be_admin()?;
    let page = suppressions
        .list(&Filter {
            email: query.email,
            reason: query.reason,
            limit: query.limit.into(),
            cursor: query.cursor,
        })
        .await?;
    Ok(Json(SuppressionPage {
        items: page.items,
        cursor: page.cursor.map(|cursor| cursor.to_string()),
    }))
}
