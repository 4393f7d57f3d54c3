//! `GET /api/audit`: a page of the log.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::edge::documented::GuardProblems;
use shared::edge::input::Query;
use shared::edge::{Caller, Result};
use shared::service::audit::{Entry, Filter, Part, Text};
use shared::service::page::{Cursor, HIGHEST_LIMIT};

use crate::Log;
use crate::viewer::sight;

/// Entries on a page, if the caller does not say.
const DEFAULT_LIMIT: u32 = 20;

/// Which entries are wanted. Every part that is given must fit.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// What belongs to this signing request.
    #[param(value_type = Option<String>, max_length = 320, pattern = r"\S")]
    request_id: Option<Text<320>>,
    /// What this user did.
    #[param(value_type = Option<String>, max_length = 320, pattern = r"\S")]
    user_id: Option<Text<320>>,
    /// What was done.
    #[param(value_type = Option<String>, max_length = 100, pattern = r"\S")]
    action: Option<Text<100>>,
    /// What kind of thing it was done with.
    #[param(value_type = Option<String>, max_length = 100, pattern = r"\S")]
    resource_type: Option<Text<100>>,
    /// Which one.
    #[param(value_type = Option<String>, max_length = 320, pattern = r"\S")]
    resource_id: Option<Text<320>>,
    /// From this instant on.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this one.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

/// How much of it.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Entries on the page, 1 to 100; 20 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `cursor` of the page before.
    #[param(value_type = Option<String>)]
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

impl From<Wanted> for Filter {
    fn from(wanted: Wanted) -> Self {
        Self {
            request_id: wanted.request_id.map(String::from),
            user_id: wanted.user_id.map(String::from),
            action: wanted.action.map(String::from),
            resource_type: wanted.resource_type.map(String::from),
            resource_id: wanted.resource_id.map(String::from),
            from: wanted.from,
            to: wanted.to,
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
        limit: paging
            .limit
            .unwrap_or(DEFAULT_LIMIT)
            .clamp(1, HIGHEST_LIMIT),
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
