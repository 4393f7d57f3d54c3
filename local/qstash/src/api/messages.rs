//! `/v2/messages`: gets, releases and cancels active messages.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use bytes::Bytes;
use http::{StatusCode, Uri};
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::bulk_action::BulkAction;
use crate::cancel;
use crate::clock;
use crate::filter::{Filter, MAX_CANCELLED};
use crate::message::{Message, MessageId};
use crate::publish::Now;
use crate::scheduler::Change;
use crate::store;

use super::bulk;
use super::refusal::Refusal;
use super::view;

/// Gets one message while it is active.
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
) -> Result<(StatusCode, Json<Value>), Refusal> {
    match cancelled(&broker, vec![id.clone()], None).await? {
        0 => Err(not_found(&id)),
        cancelled => Ok((
            StatusCode::ACCEPTED,
            Json(json!({ "cancelled": cancelled })),
        )),
    }
}

/// Ends a message's wait: a delay or the time before a retry. It spends no retry.
pub(super) async fn release(
    State(broker): State<Arc<Broker>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    if broker
        .scheduler
        .index()
        .is_delivering(&MessageId::from(id.as_str()))
    {
        return Err(Refusal::Invalid(format!(
            "message {id} is being delivered: it waits for nothing"
        )));
    }
    let now = Now::read(&broker.clock);
    let release = {
        let id = id.clone();
        move |tx: &store::Transaction<'_>| {
            let Some(mut message) = tx.get::<Message>(&id)? else {
                return Ok((Released::Unknown, Vec::new()));
            };
            if message.place.is_some() {
                return Ok((Released::Queued, Vec::new()));
            }
            message.due_ms = message.due_ms.min(now.broker_ms);
            message.not_before_ms = message.not_before_ms.min(now.wall_ms);
            tx.put(&id, &message)?;
            let due_ms = message.due_ms;
            let change = Change::Release {
                id: message.id,
                due_ms,
            };
            Ok((Released::Done, vec![change]))
        }
    };
    match broker.store.write(release).await? {
        Released::Done => Ok(Json(json!({ "messageId": id }))),
        Released::Unknown => Err(not_found(&id)),
        Released::Queued => Err(Refusal::Invalid(format!(
            "message {id} is in a queue: its order cannot be changed"
        ))),
    }
}

/// The result of releasing a message.
enum Released {
    Done,
    Unknown,
    Queued,
}

/// Cancels every message that matches the filter. Without ids it is a bulk action, which can be listed.
pub(super) async fn cancel_many(
    State(broker): State<Arc<Broker>>,
    uri: Uri,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let bulk = bulk::parse(uri.query(), &body)?;
    let ids = matching(&broker, &bulk.filter)?;
    if !bulk.filter.message_ids.is_empty() {
        let cancelled = cancelled(&broker, ids, None).await?;
        return Ok((StatusCode::OK, Json(json!({ "cancelled": cancelled }))));
    }
    let action = BulkAction::cancelled(ids.len(), bulk.filter.given, clock::wall_ms());
    let action_id = action.action_id.clone();
    let cancelled = cancelled(&broker, ids, Some(action)).await?;
    Ok(if bulk.in_background {
        (StatusCode::ACCEPTED, Json(json!({ "actionId": action_id })))
    } else {
        let answer = json!({ "cancelled": cancelled, "actionId": action_id });
        (StatusCode::OK, Json(answer))
    })
}

fn matching(broker: &Broker, filter: &Filter) -> Result<Vec<String>, Refusal> {
    let most = filter.count_within(MAX_CANCELLED)?.unwrap_or(usize::MAX);
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

async fn cancelled(
    broker: &Broker,
    ids: Vec<String>,
    action: Option<BulkAction>,
) -> Result<usize, store::Error> {
    let now = Now::read(&broker.clock);
    let cancel_all = move |tx: &store::Transaction<'_>| {
        let mut changes = Vec::new();
        if let Some(action) = action {
            action.keep(tx)?;
        }
        Ok((cancel::cancel_all(tx, &ids, now, &mut changes)?, changes))
    };
    broker.store.write(cancel_all).await
}

fn not_found(id: &str) -> Refusal {
    Refusal::NotFound(format!("message {id} not found"))
}
