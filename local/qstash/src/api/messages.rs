//! `/v2/messages`: look at messages on their way, and cancel them.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use bytes::Bytes;
use http::Uri;
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::cancel;
use crate::filter::Filter;
use crate::message::Message;
use crate::publish::Now;
use crate::store;

use super::bulk;
use super::refusal::Refusal;
use super::view;

/// One message, as long as it is on its way.
pub(super) async fn get(
    State(broker): State<Arc<Broker>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let snapshot = broker.store.snapshot()?;
    let message = snapshot
        .get::<Message>(&id)?
        .ok_or_else(|| not_found(&id))?;
    let body = snapshot.body(&id)?;
    Ok(Json(Value::Object(view::message(
        &message,
        body.as_deref(),
    ))))
}

/// Cancels one message.
pub(super) async fn cancel(
    State(broker): State<Arc<Broker>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    match cancelled(&broker, vec![id.clone()]).await? {
        0 => Err(not_found(&id)),
        cancelled => Ok(Json(json!({ "cancelled": cancelled }))),
    }
}

/// Cancels every message that fits the filter.
pub(super) async fn cancel_many(
    State(broker): State<Arc<Broker>>,
    uri: Uri,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let filter = bulk::filter(uri.query(), &body)?;
    let ids = matching(&broker, &filter)?;
    let cancelled = cancelled(&broker, ids).await?;
    Ok(Json(json!({ "cancelled": cancelled })))
}

fn matching(broker: &Broker, filter: &Filter) -> Result<Vec<String>, store::Error> {
    let most = filter.count.unwrap_or(usize::MAX);
    let mut ids = Vec::new();
    broker.store.snapshot()?.each::<Message>(|id, message| {
        if filter.fits(&message, message.created_ms) {
            ids.push(id.to_owned());
        }
        if ids.len() < most {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(ids)
}

async fn cancelled(broker: &Broker, ids: Vec<String>) -> Result<usize, store::Error> {
    let now = Now::read(&broker.clock);
    let cancel_all = move |tx: &store::Transaction<'_>| {
        let mut changes = Vec::new();
        Ok((cancel::cancel_all(tx, &ids, now, &mut changes)?, changes))
    };
    broker.store.write(cancel_all).await
}

fn not_found(id: &str) -> Refusal {
    Refusal::NotFound(format!("message {id} not found"))
}
