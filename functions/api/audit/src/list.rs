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
use shared::service::audit::{Entry, Filter, Name, Part, Word};
use shared::service::page::Cursor;

use crate::Log;
use crate::viewer::sight;

/// Which entries are wanted. Every part that is given must fit.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// What belongs to this signing request.
    request_id: Option<Name>,
    /// What this user did.
    user_id: Option<Name>,
    /// What was done.
    action: Option<Word>,
    /// What kind of thing it was done with.
    resource_type: Option<Word>,
    /// Which one.
    resource_id: Option<Name>,
    /// From this instant on.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Instant>,
    /// Before this one.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Instant>,
}

/// How much of it.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Entries on the page, 1 to 100; 20 if absent.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// The `cursor` of the page before.
    #[param(inline, value_type = Cursor, required = false)]
    cursor: Option<Cursor>,
}

/// A page.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AuditPage {
    /// The entries, the newest first.
    items: Vec<Entry>,
    /// Where the next page goes on; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// Names of 320 characters fit into a query, but not many of them, and not with a long cursor: API Gateway refuses what
/// is too long by itself.
#[derive(Debug, utoipa::IntoResponses)]
#[response(
    status = 431,
    description = "The path, the query and the headers are larger than 10 KB together"
)]
pub struct TooLong;

impl From<Wanted> for Filter {
    fn from(wanted: Wanted) -> Self {
        Self {
            request_id: wanted.request_id.map(String::from),
            user_id: wanted.user_id.map(String::from),
            action: wanted.action.map(String::from),
            resource_type: wanted.resource_type.map(String::from),
            resource_id: wanted.resource_id.map(String::from),
            from: wanted.from.map(Timestamp::from),
            to: wanted.to.map(Timestamp::from),
        }
    }
}

/// What happened, newest first.
///
/// A user sees what he or she did and all of the requests that he or she made; an administrator of a domain the same of
/// the domain's users; administrators and the service itself everything.
#[utoipa::path(
    get,
    operation_id = "listAuditEntries",
    path = "/api/audit",
    tag = "audit",
    params(Wanted, Paging, Caller),
    responses(
        (status = 200, description = "A page", body = AuditPage),
        TooLong,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn list(
    State(log): State<Log>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
    Query(paging): Query<Paging>,
) -> Result<Json<AuditPage>> {
    let part = Part {
        newest_first: true,
        limit: paging.limit.into(),
        cursor: paging.cursor,
    };
    let page = log
        .audit
        .entries(&sight(&caller), &wanted.into(), &part)
        .await?;
    let items = page.items.into_iter().map(|entry| Entry {
        // The text repeats the columns; who wants proof exports.
        canonical: None,
        ..entry
    });
    Ok(Json(AuditPage {
        items: items.collect(),
        cursor: page.cursor.map(|cursor| cursor.to_string()),
    }))
}
