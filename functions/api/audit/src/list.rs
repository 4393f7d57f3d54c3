//! `GET /api/audit`: a page of the log.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::edge::documented::GuardProblems;
use shared::edge::input::Query;
use shared::edge::instant::Instant;
use shared::edge::page::Limit;
use shared::edge::{Caller, Result};
use shared::service::audit::{Entry, Filter, Name, PageRequest, Word};
use shared::service::page::Cursor;

use crate::AppState;
use crate::viewer::viewer;

/// Filters for audit entries. An entry must match all of them.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only entries of this signing request.
    request_id: Option<Name>,
    /// Only actions of this user.
    user_id: Option<Name>,
    /// Only this action.
    action: Option<Word>,
    /// Only this type of resource.
    resource_type: Option<Word>,
    /// Only this resource.
    resource_id: Option<Name>,
    /// Only entries at or after this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Instant>,
    /// Only entries before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Instant>,
}

/// The page of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Entries per page: 1 to 100, default 20.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// The `cursor` of the previous page.
    #[param(inline, value_type = Cursor, required = false)]
    cursor: Option<Cursor>,
}

/// A page of audit entries.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AuditPage {
    /// The entries, newest first.
    items: Vec<Entry>,
    /// The cursor of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// A request that is larger than API Gateway accepts.
///
/// A query can hold names of 320 characters, but not many of them, and not with a long cursor.
#[derive(Debug, utoipa::IntoResponses)]
#[response(
    status = 431,
    description = "The path, the query and the headers exceed 10 KB together"
)]
pub struct TooLong;

impl From<ListQuery> for Filter {
    fn from(query: ListQuery) -> Self {
        Self {
            request_id: query.request_id.map(String::from),
            user_id: query.user_id.map(String::from),
            action: query.action.map(String::from),
            resource_type: query.resource_type.map(String::from),
            resource_id: query.resource_id.map(String::from),
            from: query.from.map(Timestamp::from),
            to: query.to.map(Timestamp::from),
        }
    }
}

/// List audit entries
///
/// Users see their own actions and all entries of requests that they created, newest first. Domain administrators see
/// the same for all users of their domain. Administrators and the service see everything.
#[utoipa::path(
    get,
    operation_id = "listAuditEntries",
    path = "/api/audit",
    tag = "audit",
    params(ListQuery, PageQuery, Caller),
    responses(
        (status = 200, description = "A page of audit entries", body = AuditPage),
        TooLong,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<ListQuery>,
    Query(page_query): Query<PageQuery>,
) -> Result<Json<AuditPage>> {
    let part = PageRequest {
        newest_first: true,
        limit: page_query.limit.into(),
        cursor: page_query.cursor,
    };
    let page = state
        .audit
        .entries(&viewer(&caller), &query.into(), &part)
        .await?;
    let items = page.items.into_iter().map(|entry| Entry {
        // The text repeats the columns; the export includes it as proof.
        canonical: None,
        ..entry
    });
    Ok(Json(AuditPage {
        items: items.collect(),
        cursor: page.cursor.map(|cursor| cursor.to_string()),
    }))
}
