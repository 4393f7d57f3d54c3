//! `/v2/flowControl`: lists keys, pauses them, and pins their limits.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::Uri;
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::flow_control::{DEFAULT_PERIOD_MS, FlowKey, Key, period_ms, positive};
use crate::scheduler::{Change, FlowLane};
use crate::store;

use super::refusal::Refusal;

const SECOND_MS: u64 = 1_000;

/// Lists every key, or those whose name contains `?search=`.
pub(super) async fn list(State(broker): State<Arc<Broker>>, uri: Uri) -> Json<Value> {
    let search = parameter(&uri, "search").unwrap_or_default();
    let now_ms = broker.clock.now_ms();
    let mut index = broker.scheduler.index();
    let mut lanes: Vec<_> = index
        .lanes()
        .filter(|(key, _)| key.as_str().contains(&search))
        .collect();
    lanes.sort_by_key(|(key, _)| (*key).clone());
    Json(
        lanes
            .into_iter()
            .map(|(key, lane)| shown(key, lane, now_ms))
            .collect(),
    )
}

/// Gets one key.
pub(super) async fn get(
    State(broker): State<Arc<Broker>>,
    Path(key): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let name = Key::parse(&key)?;
    let now_ms = broker.clock.now_ms();
    let shown = broker
        .scheduler
        .index()
        .lane(&name)
        .map(|lane| shown(&name, lane, now_ms));
    shown
        .map(Json)
        .ok_or_else(|| Refusal::NotFound(format!("flow control key {key} not found")))
}

/// Pauses, resumes, pins, unpins, or ends the period.
pub(super) async fn act(
    State(broker): State<Arc<Broker>>,
    Path((key, action)): Path<(String, String)>,
    uri: Uri,
) -> Result<(), Refusal> {
    let key = Key::parse(&key)?;
    match action.as_str() {
        "pause" => change(&broker, key, |state| state.paused = true).await,
        "resume" => change(&broker, key, |state| state.paused = false).await,
        "pin" => pin(&broker, key, &uri).await,
        "unpin" => unpin(&broker, key, &uri).await,
        "reset" | "resetRate" => {
            if let Some(lane) = broker.scheduler.index().lane(&key) {
                lane.reset();
            }
            broker.scheduler.wake();
            Ok(())
        }
        _ => Err(Refusal::NotFound("no such endpoint".to_owned())),
    }
}

/// Gets the limit over all keys.
pub(super) async fn global(State(broker): State<Arc<Broker>>) -> Json<Value> {
    let index = broker.scheduler.index();
    Json(json!({
        "parallelismMax": index.parallelism(),
        "parallelismCount": index.in_flight(),
    }))
}

async fn pin(broker: &Broker, key: Key, uri: &Uri) -> Result<(), Refusal> {
    let number = |name: &str| {
        let invalid = |value| Refusal::Invalid(format!("invalid {name} `{value}`"));
        parameter(uri, name)
            .map(|value| positive(&value).ok_or_else(|| invalid(value)))
            .transpose()
    };
    let (parallelism, rate) = (number("parallelism")?, number("rate")?);
    let period = parameter(uri, "period")
        .map(|value| period_ms(&value))
        .transpose()?;
    if parallelism.is_none() && rate.is_none() {
        return Err(Refusal::Invalid("parallelism or rate is needed".to_owned()));
    }
    change(broker, key, move |state| {
        state.pinned_parallelism = parallelism.or(state.pinned_parallelism);
        if let Some(rate) = rate {
            state.pinned_rate = Some((rate, period.unwrap_or(DEFAULT_PERIOD_MS)));
        }
    })
    .await
}

async fn unpin(broker: &Broker, key: Key, uri: &Uri) -> Result<(), Refusal> {
    let asked = |name| parameter(uri, name).is_some_and(|value| value == "true");
    let (parallelism, rate) = (asked("parallelism"), asked("rate"));
    change(broker, key, move |state| {
        if parallelism {
            state.pinned_parallelism = None;
        }
        if rate {
            state.pinned_rate = None;
        }
    })
    .await
}

/// Changes a key. A key that no message has used yet can be paused or pinned in advance.
async fn change(
    broker: &Broker,
    key: Key,
    change: impl FnOnce(&mut FlowKey) + Send + 'static,
) -> Result<(), Refusal> {
    let write = move |tx: &store::Transaction<'_>| {
        let mut state = tx.get::<FlowKey>(key.as_str())?.unwrap_or_default();
        change(&mut state);
        tx.put(key.as_str(), &state)?;
        Ok(((), vec![Change::FlowKey { key, state }]))
    };
    Ok(broker.store.write(write).await?)
}

fn shown(key: &Key, lane: &mut FlowLane, now_ms: u64) -> Value {
    lane.elapse(now_ms);
    let limits = lane.key.limits();
    json!({
        "flowControlKey": key,
        "waitListSize": lane.waiting(),
        "parallelismMax": limits.parallelism.unwrap_or_default(),
        "parallelismCount": lane.active,
        "rateMax": limits.rate.unwrap_or_default(),
        "rateCount": lane.started,
        "ratePeriod": limits.period_ms.div_ceil(SECOND_MS),
        "ratePeriodStart": lane.period_start_ms / SECOND_MS,
        "isPaused": lane.key.paused,
        "isPinnedParallelism": lane.key.pinned_parallelism.is_some(),
        "isPinnedRate": lane.key.pinned_rate.is_some(),
    })
}

fn parameter(uri: &Uri, name: &str) -> Option<String> {
    url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
}
