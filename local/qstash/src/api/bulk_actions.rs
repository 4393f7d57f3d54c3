//! `/v2/bulkActions`: lists and gets cancellations by filter.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::Uri;
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::bulk_action::BulkAction;
use crate::clock;

use super::refusal::Refusal;

const PAGE: usize = 100;
const MAX_PAGE: usize = 1_000;

#[derive(Default)]
struct Page {
    cursor: String,
    count: Option<usize>,
    state: Option<String>,
}

/// Lists the actions of the last week, oldest first. The state filters each page separately.
pub(super) async fn list(
    State(broker): State<Arc<Broker>>,
    uri: Uri,
) -> Result<Json<Value>, Refusal> {
    let page = page(uri.query())?;
    let count = page.count.unwrap_or(PAGE).min(MAX_PAGE);
    let wall_ms = clock::wall_ms();
    let (mut found, mut more) = (Vec::new(), false);
    broker.store.snapshot()?.each::<BulkAction>(|id, action| {
        if id <= page.cursor.as_str() || action.is_over(wall_ms) {
            return ControlFlow::Continue(());
        }
        if found.len() == count {
            more = true;
            return ControlFlow::Break(());
        }
        found.push(action);
        ControlFlow::Continue(())
    })?;
    let cursor = found
        .last()
        .filter(|_| more)
        .map(|last| last.action_id.clone());
    if let Some(state) = page.state {
        found.retain(|action| action.state.is(&state));
    }
    let mut answer = json!({ "bulkActions": found });
    if let Some(cursor) = cursor {
        answer["cursor"] = json!(cursor);
    }
    Ok(Json(answer))
}

/// Gets one action.
pub(super) async fn get(
    State(broker): State<Arc<Broker>>,
    Path(id): Path<String>,
) -> Result<Json<BulkAction>, Refusal> {
    let action = broker.store.snapshot()?.get::<BulkAction>(&id)?;
    action
        .filter(|action| !action.is_over(clock::wall_ms()))
        .map(Json)
        .ok_or_else(|| Refusal::NotFound(format!("bulk action {id} not found")))
}

fn page(query: Option<&str>) -> Result<Page, Refusal> {
    let mut page = Page::default();
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let wrong = || Refusal::Invalid(format!("invalid value `{value}` of `{name}`"));
        match name.as_ref() {
            "cursor" => page.cursor = value.into_owned(),
            "count" => {
                let count = value.parse().ok().filter(|count| *count > 0);
                page.count = Some(count.ok_or_else(wrong)?);
            }
            "state" => {
                if !["IN_PROGRESS", "FINISHED"].contains(&value.as_ref()) {
                    return Err(wrong());
                }
                page.state = Some(value.into_owned());
            }
            _ => {}
        }
    }
    Ok(page)
}
