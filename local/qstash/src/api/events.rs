//! `GET /v2/events`, which the SDK calls, and the documented `GET /v2/logs`: the same list under two names.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use serde_json::{Map, Value, json};

use crate::broker::Broker;
use crate::event::Event;
use crate::filter::Filter;
use crate::redaction;
use crate::store::{self, Snapshot};

use super::refusal::Refusal;
use super::view;

/// The largest body in a listing, so that a page stays small.
const MAX_BODY: usize = 10 * 1024;

/// Returns the log as `{events, cursor?}`.
pub(super) async fn events(
    State(broker): State<Arc<Broker>>,
    uri: Uri,
) -> Result<Json<Value>, Refusal> {
    page(&broker, &uri, "events")
}

/// Returns the log as `{logs, cursor?}`.
pub(super) async fn logs(
    State(broker): State<Arc<Broker>>,
    uri: Uri,
) -> Result<Json<Value>, Refusal> {
    page(&broker, &uri, "logs")
}

fn page(broker: &Broker, uri: &Uri, name: &str) -> Result<Json<Value>, Refusal> {
    let filter = Filter::parse(uri.query())?;
    let count = filter.page()?;
    let snapshot = broker.store.snapshot()?;
    let cursor = filter
        .cursor
        .as_deref()
        .and_then(|cursor| cursor.parse().ok());
    let mentions = match filter.message_ids.as_slice() {
        [id] => Some(id.as_str()),
        _ => None,
    };
    let (mut found, mut last, mut more) = (Vec::new(), None, false);
    snapshot.events(filter.order, cursor, mentions, |number, event| {
        let status = event.response.as_ref().map(|response| response.status);
        let fits = filter.fits_state(event.state)
            && filter.fits(&event.message, event.time_ms)
            && filter.fits_status(status);
        if fits && found.len() == count {
            more = true;
            return ControlFlow::Break(());
        }
        if fits {
            found.push(event);
            last = Some(number);
        }
        ControlFlow::Continue(())
    })?;
    let shown = found
        .iter()
        .map(|event| shown(&snapshot, event))
        .collect::<Result<Vec<_>, _>>()?;
    let mut answer = Map::new();
    answer.insert(name.to_owned(), json!(shown));
    if let Some(last) = last.filter(|_| more) {
        answer.insert("cursor".to_owned(), json!(last.to_string()));
    }
    Ok(Json(Value::Object(answer)))
}

fn shown(snapshot: &Snapshot, event: &Event) -> Result<Map<String, Value>, store::Error> {
    let mut shown = view::message(&event.message, None);
    let mut set = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    set("time", json!(event.time_ms));
    set("state", json!(event.state));
    if let Some(expression) = &event.message.options.retry_delay {
        // The log uses another name than messages do; the clients know one name each.
        set("retryDelayExpr", json!(expression.as_str()));
    }
    if let Some(next_ms) = event.next_delivery_ms {
        set("nextDeliveryTime", json!(next_ms));
    }
    if let Some(body) = snapshot
        .body(event.message.id.as_str())?
        .filter(|body| body.len() <= MAX_BODY)
    {
        let hidden = event.message.options.redaction.hides_body();
        set(
            "body",
            json!(if hidden {
                redaction::mark(&body)
            } else {
                STANDARD.encode(body)
            }),
        );
    }
    if let Some(response) = &event.response {
        set("responseStatus", json!(response.status));
        set("responseHeaders", json!(response.headers));
        set("responseBody", json!(response.body));
        let error = response.error.clone();
        set(
            "error",
            json!(error.unwrap_or_else(|| format!("the receiver answered {}", response.status))),
        );
    }
    Ok(shown)
}
