//! `/v2/schedules`: creates, lists, pauses and deletes schedules.
//!
//! A destination is in the path unencoded. So this module, not the router, distinguishes `POST
//! /v2/schedules/{destination}` from `POST /v2/schedules/{id}/pause`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, Path, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, Uri};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::broker::Broker;
use crate::destination;
use crate::headers::Fields;
use crate::name::Name;
use crate::options::Start;
use crate::plan;
use crate::publish::Now;
use crate::schedule::{Schedule, body_key};
use crate::scheduler::Change;
use crate::store;

use super::admission::Admission;
use super::refusal::Refusal;
use super::view;

const PREFIX: &str = "/v2/schedules/";

/// Creates a schedule, or pauses or resumes one.
pub(super) async fn post(
    State(broker): State<Arc<Broker>>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let rest = uri.path().strip_prefix(PREFIX).unwrap_or_default();
    if let Some((id, paused)) = pause_of(rest) {
        return set_paused(&broker, id, paused)
            .await
            .map(axum::response::IntoResponse::into_response);
    }
    let now = Now::read(&broker.clock);
    let schedule = parse(rest, &uri, &headers, caller, now)?;
    Admission::new(&broker, now)
        .check_parts(Some(&schedule.destination), &schedule.options, &body)
        .await?;
    let id = schedule.id.clone();
    broker
        .store
        .write(move |tx| put(tx, schedule, &body))
        .await??;
    Ok(Json(json!({ "scheduleId": id })).into_response())
}

/// Pauses or resumes a schedule, in the SDK's form.
pub(super) async fn patch(State(broker): State<Arc<Broker>>, uri: Uri) -> Result<(), Refusal> {
    let rest = uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let (id, paused) =
        pause_of(rest).ok_or_else(|| Refusal::NotFound("no such endpoint".to_owned()))?;
    set_paused(&broker, id, paused).await
}

/// Lists every schedule.
pub(super) async fn list(State(broker): State<Arc<Broker>>) -> Result<Json<Value>, Refusal> {
    let snapshot = broker.store.snapshot()?;
    let schedules = snapshot.all::<Schedule>()?;
    let shown = schedules
        .iter()
        .map(|(_, schedule)| shown(&snapshot, schedule));
    Ok(Json(shown.collect::<Result<_, _>>()?))
}

/// Gets one schedule.
pub(super) async fn get(
    State(broker): State<Arc<Broker>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let snapshot = broker.store.snapshot()?;
    let schedule = snapshot
        .get::<Schedule>(&id)?
        .ok_or_else(|| not_found(&id))?;
    Ok(Json(shown(&snapshot, &schedule)?))
}

/// Deletes a schedule; its published messages stay active.
pub(super) async fn delete(
    State(broker): State<Arc<Broker>>,
    Path(id): Path<String>,
) -> Result<(), Refusal> {
    let missing = not_found(&id);
    let id = Name::stored(id);
    let delete = move |tx: &store::Transaction<'_>| {
        let known = tx.remove::<Schedule>(id.as_str())?;
        tx.remove_body(&body_key(&id))?;
        Ok((known, vec![Change::Schedule { id, next_ms: None }]))
    };
    if broker.store.write(delete).await? {
        Ok(())
    } else {
        Err(missing)
    }
}

fn parse(
    rest: &str,
    uri: &Uri,
    headers: &HeaderMap,
    caller: SocketAddr,
    now: Now,
) -> Result<Schedule, Refusal> {
    let fields = Fields::of_request(headers, uri.query())?;
    let cron = fields
        .cron()?
        .ok_or_else(|| Refusal::Invalid("Upstash-Cron is missing".to_owned()))?;
    let next_ms = cron.next(now.broker_ms);
    if next_ms.is_none() {
        return Err(Refusal::Invalid(format!(
            "the cron expression `{}` never comes true",
            cron.as_str()
        )));
    }
    let id = match fields.schedule_id()? {
        Some(id) => id,
        None => Name::parse(&format!("scd_{}", Uuid::now_v7().simple()))?,
    };
    Ok(Schedule {
        id,
        cron,
        destination: destination::from_path(rest, uri.query())?,
        options: fields.options()?,
        caller_ip: caller.ip().to_string(),
        created_ms: now.wall_ms,
        paused: false,
        next_ms,
        last_ms: None,
        last_states: BTreeMap::new(),
    })
}

/// Writes a schedule. An existing id is overwritten except for its history.
fn put(
    tx: &store::Transaction<'_>,
    mut schedule: Schedule,
    body: &[u8],
) -> Result<(Result<(), plan::Error>, Vec<Change>), store::Error> {
    if let Some(known) = tx.get::<Schedule>(schedule.id.as_str())? {
        schedule.created_ms = known.created_ms;
        schedule.last_ms = known.last_ms;
        schedule.last_states = known.last_states;
    } else if let Err(error) = tx.limits().check_schedules(tx.count::<Schedule>()?) {
        return Ok((Err(error), Vec::new()));
    }
    tx.put(schedule.id.as_str(), &schedule)?;
    tx.put_body(&body_key(&schedule.id), body)?;
    Ok((
        Ok(()),
        vec![Change::Schedule {
            id: schedule.id,
            next_ms: schedule.next_ms,
        }],
    ))
}

async fn set_paused(broker: &Broker, id: &str, paused: bool) -> Result<(), Refusal> {
    let missing = not_found(id);
    let id = id.to_owned();
    let now_ms = broker.clock.now_ms();
    let write = move |tx: &store::Transaction<'_>| {
        let Some(mut schedule) = tx.get::<Schedule>(&id)? else {
            return Ok((false, Vec::new()));
        };
        schedule.paused = paused;
        schedule.next_ms = schedule.cron.next(now_ms);
        tx.put(&id, &schedule)?;
        Ok((
            true,
            vec![Change::Schedule {
                id: schedule.id,
                next_ms: schedule.next_ms,
            }],
        ))
    };
    if broker.store.write(write).await? {
        Ok(())
    } else {
        Err(missing)
    }
}

/// Parses `{id}/pause` and `{id}/resume`. A destination has slashes before its last part, or is a group.
fn pause_of(rest: &str) -> Option<(&str, bool)> {
    let (id, action) = rest.split_once('/')?;
    match action {
        "pause" => Some((id, true)),
        "resume" => Some((id, false)),
        _ => None,
    }
}

fn shown(snapshot: &store::Snapshot, schedule: &Schedule) -> Result<Value, store::Error> {
    let mut shown = Map::new();
    let mut set = |name: &str, value: Value| {
        if !value.is_null() {
            shown.insert(name.to_owned(), value);
        }
    };
    set("scheduleId", json!(schedule.id));
    set("cron", json!(schedule.cron.as_str()));
    set("destination", json!(schedule.destination.as_str()));
    set("createdAt", json!(schedule.created_ms));
    set("isPaused", json!(schedule.paused));
    set("retries", json!(schedule.options.max_retries()));
    set("queueName", json!(schedule.options.queue));
    set("callerIP", json!(schedule.caller_ip));
    set("callerIp", json!(schedule.caller_ip));
    set("lastScheduleTime", json!(schedule.last_ms));
    set("nextScheduleTime", json!(schedule.next_ms));
    set("lastScheduleStates", json!(schedule.last_states));
    if let Start::After(delay_ms) = schedule.options.start {
        set("delay", json!(delay_ms / 1_000));
    }
    view::options(&mut shown, &schedule.options);
    view::content(
        &mut shown,
        &schedule.options,
        snapshot.body(&body_key(&schedule.id))?.as_deref(),
    );
    Ok(Value::Object(shown))
}

fn not_found(id: &str) -> Refusal {
    Refusal::NotFound(format!("schedule {id} not found"))
}
