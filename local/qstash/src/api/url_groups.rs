//! `/v2/topics`: URL groups and their endpoints.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::clock;
use crate::destination::Target;
use crate::header_map::Headers;
use crate::name::Name;
use crate::publish::Now;
use crate::store;
use crate::url_group::{Endpoint, UrlGroup};

use super::admission::Admission;
use super::refusal::Refusal;

#[derive(Deserialize)]
struct Additions {
    endpoints: Vec<Addition>,
}

#[derive(Deserialize)]
struct Addition {
    name: Option<String>,
    url: Target,
}

#[derive(Deserialize)]
struct Removals {
    endpoints: Vec<Removal>,
}

#[derive(Deserialize)]
struct Removal {
    name: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize)]
struct Defaults {
    headers: Headers,
}

/// Lists every group.
pub(super) async fn list(State(broker): State<Arc<Broker>>) -> Result<Json<Value>, Refusal> {
    let groups = broker.store.snapshot()?.all::<UrlGroup>()?;
    Ok(Json(
        groups
            .iter()
            .map(|(name, group)| shown(name, group))
            .collect(),
    ))
}

/// Gets one group.
pub(super) async fn get(
    State(broker): State<Arc<Broker>>,
    Path(name): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let group = broker
        .store
        .snapshot()?
        .get::<UrlGroup>(&name)?
        .ok_or_else(|| not_found(&name))?;
    Ok(Json(shown(&name, &group)))
}

/// Deletes a group; messages published to it stay active. A missing group counts as deleted: the official Python suite
/// starts with such a call.
pub(super) async fn delete(
    State(broker): State<Arc<Broker>>,
    Path(name): Path<String>,
) -> Result<(), Refusal> {
    broker
        .store
        .write(move |tx| Ok((tx.remove::<UrlGroup>(&name)?, Vec::new())))
        .await?;
    Ok(())
}

/// Adds endpoints, and creates the group if necessary.
pub(super) async fn add(
    State(broker): State<Arc<Broker>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<(), Refusal> {
    let additions: Additions = serde_json::from_slice(&body)?;
    let mut admission = Admission::new(&broker, Now::read(&broker.clock));
    let mut endpoints = Vec::with_capacity(additions.endpoints.len());
    for Addition { name, url } in additions.endpoints {
        let name = name.filter(|name| !name.is_empty());
        let name = name.map(|name| Name::parse(&name)).transpose()?;
        admission.check_host(&url).await?;
        endpoints.push(Endpoint { name, url });
    }
    change(&broker, &name, true, |group| {
        for endpoint in endpoints {
            group.put(endpoint);
        }
    })
    .await
}

/// Removes endpoints, by name or by URL.
pub(super) async fn remove(
    State(broker): State<Arc<Broker>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<(), Refusal> {
    let removals: Removals = serde_json::from_slice(&body)?;
    change(&broker, &name, false, move |group| {
        for removal in removals.endpoints {
            group.remove(removal.name.as_deref(), removal.url.as_deref());
        }
    })
    .await
}

/// Sets the headers of every message to the group.
pub(super) async fn patch(
    State(broker): State<Arc<Broker>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<(), Refusal> {
    let defaults: Defaults = serde_json::from_slice(&body)?;
    let sendable = |(name, value): (&str, &str)| {
        http::HeaderName::from_bytes(name.as_bytes()).is_ok()
            && http::HeaderValue::from_str(value).is_ok()
    };
    if !defaults.headers.pairs().all(sendable) {
        return Err(Refusal::Invalid("a header cannot be sent".to_owned()));
    }
    change(&broker, &name, false, move |group| {
        // Names are stored in one case.
        let mut headers = Headers::default();
        for (name, value) in defaults.headers.pairs() {
            headers.add(name, value);
        }
        group.headers = headers;
    })
    .await
}

async fn change(
    broker: &Broker,
    name: &str,
    create: bool,
    change: impl FnOnce(&mut UrlGroup) + Send + 'static,
) -> Result<(), Refusal> {
    let wall_ms = clock::wall_ms();
    let missing = not_found(name);
    let name = Name::parse_group(name)?;
    let write = move |tx: &store::Transaction<'_>| {
        let mut group = match tx.get::<UrlGroup>(name.as_str())? {
            Some(group) => group,
            None if !create => return Ok((Err(missing), Vec::new())),
            None => {
                if let Err(error) = tx.limits().check_url_groups(tx.count::<UrlGroup>()?) {
                    return Ok((Err(error.into()), Vec::new()));
                }
                UrlGroup::new(wall_ms)
            }
        };
        change(&mut group);
        if let Err(error) = tx.limits().check_endpoints(group.endpoints.len()) {
            return Ok((Err(error.into()), Vec::new()));
        }
        group.updated_ms = wall_ms;
        tx.put(name.as_str(), &group)?;
        Ok((Ok(()), Vec::new()))
    };
    broker.store.write(write).await?
}

fn shown(name: &str, group: &UrlGroup) -> Value {
    json!({
        "name": name,
        "createdAt": group.created_ms,
        "updatedAt": group.updated_ms,
        "endpoints": group.endpoints,
    })
}

fn not_found(name: &str) -> Refusal {
    Refusal::NotFound(format!("url group {name} not found"))
}
