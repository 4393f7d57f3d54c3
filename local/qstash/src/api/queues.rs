//! `/v2/queues`: creates, lists, pauses and deletes queues.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::cancel;
use crate::clock;
use crate::message::Message;
use crate::name::Name;
use crate::publish::Now;
use crate::queue::Queue;
use crate::scheduler::Change;
use crate::store;

use super::refusal::Refusal;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Upsert {
    queue_name: String,
    parallelism: Option<u32>,
    paused: Option<bool>,
}

/// Creates or changes a queue; omitted members keep their values.
pub(super) async fn upsert(State(broker): State<Arc<Broker>>, body: Bytes) -> Result<(), Refusal> {
    let asked: Upsert = serde_json::from_slice(&body)?;
    let name = Name::parse(&asked.queue_name)?;
    let parallelism = asked.parallelism.unwrap_or(1);
    if parallelism == 0 {
        return Err(Refusal::Invalid(
            "parallelism must be at least 1".to_owned(),
        ));
    }
    broker.limits.check_queue_parallelism(parallelism)?;
    change(&broker, name, true, move |queue| {
        queue.parallelism = asked.parallelism.unwrap_or(queue.parallelism);
        queue.paused = asked.paused.unwrap_or(queue.paused);
    })
    .await
}

/// Pauses deliveries from a queue.
pub(super) async fn pause(
    State(broker): State<Arc<Broker>>,
    Path(name): Path<String>,
) -> Result<(), Refusal> {
    change(&broker, Name::parse(&name)?, false, |queue| {
        queue.paused = true;
    })
    .await
}

/// Resumes deliveries.
pub(super) async fn resume(
    State(broker): State<Arc<Broker>>,
    Path(name): Path<String>,
) -> Result<(), Refusal> {
    change(&broker, Name::parse(&name)?, false, |queue| {
        queue.paused = false;
    })
    .await
}

/// Lists every queue.
pub(super) async fn list(State(broker): State<Arc<Broker>>) -> Result<Json<Value>, Refusal> {
    let queues = broker.store.snapshot()?.all::<Queue>()?;
    Ok(Json(
        queues
            .iter()
            .map(|(name, queue)| shown(&broker, name, queue))
            .collect(),
    ))
}

/// Gets one queue.
pub(super) async fn get(
    State(broker): State<Arc<Broker>>,
    Path(name): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let queue = broker
        .store
        .snapshot()?
        .get::<Queue>(&name)?
        .ok_or_else(|| not_found(&name))?;
    Ok(Json(shown(&broker, &name, &queue)))
}

/// Deletes a queue and cancels its waiting messages. A missing queue counts as deleted.
pub(super) async fn delete(
    State(broker): State<Arc<Broker>>,
    Path(name): Path<String>,
) -> Result<(), Refusal> {
    let name = Name::parse(&name)?;
    let mut members = Vec::new();
    broker.store.snapshot()?.each::<Message>(|id, message| {
        if message.place.is_some_and(|place| place.queue == name) {
            members.push(id.to_owned());
        }
        ControlFlow::Continue(())
    })?;
    let now = Now::read(&broker.clock);
    let delete = move |tx: &store::Transaction<'_>| {
        let mut changes = Vec::new();
        cancel::cancel_all(tx, &members, now, &mut changes)?;
        tx.remove::<Queue>(name.as_str())?;
        changes.push(Change::DropQueue(name));
        Ok(((), changes))
    };
    Ok(broker.store.write(delete).await?)
}

async fn change(
    broker: &Broker,
    name: Name,
    create: bool,
    change: impl FnOnce(&mut Queue) + Send + 'static,
) -> Result<(), Refusal> {
    let wall_ms = clock::wall_ms();
    let missing = not_found(name.as_str());
    let write = move |tx: &store::Transaction<'_>| {
        let mut queue = match tx.get::<Queue>(name.as_str())? {
            Some(queue) => queue,
            None if !create => return Ok((Err(missing), Vec::new())),
            None => {
                if let Err(error) = tx.limits().check_queues(tx.count::<Queue>()?) {
                    return Ok((Err(error.into()), Vec::new()));
                }
                Queue::new(wall_ms)
            }
        };
        change(&mut queue);
        queue.updated_ms = wall_ms;
        tx.put(name.as_str(), &queue)?;
        Ok((Ok(()), vec![Change::queue(&name, &queue)]))
    };
    broker.store.write(write).await?
}

fn shown(broker: &Broker, name: &str, queue: &Queue) -> Value {
    let lag = broker.scheduler.index().lag(&Name::stored(name.to_owned()));
    json!({
        "name": name,
        "createdAt": queue.created_ms,
        "updatedAt": queue.updated_ms,
        "parallelism": queue.parallelism,
        "paused": queue.paused,
        "lag": lag,
    })
}

fn not_found(name: &str) -> Refusal {
    Refusal::NotFound(format!("queue {name} not found"))
}
