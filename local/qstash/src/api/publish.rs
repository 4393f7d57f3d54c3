//! `POST /v2/publish/{destination}` and `POST /v2/enqueue/{queue}/{destination}`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, Path, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri};

use crate::broker::Broker;
use crate::destination::{self, Destination};
use crate::headers::Fields;
use crate::name::Name;
use crate::publish::{self, Draft, Now, Published};

use super::admission::Admission;
use super::refusal::Refusal;

/// Publishes one message, or one per endpoint of a group.
pub(super) async fn publish(
    State(broker): State<Arc<Broker>>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    // The router's parameter is decoded; the destination must stay unchanged.
    let rest = uri.path().strip_prefix("/v2/publish/").unwrap_or_default();
    let draft = draft(rest, &uri, &headers, body, caller)?;
    send(&broker, draft).await
}

/// Publishes through a queue.
pub(super) async fn enqueue(
    State(broker): State<Arc<Broker>>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    Path((queue, _)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let rest = uri
        .path()
        .strip_prefix("/v2/enqueue/")
        .and_then(|rest| rest.split_once('/'));
    let mut draft = draft(rest.unwrap_or_default().1, &uri, &headers, body, caller)?;
    draft.queue = Some(Name::parse(&queue)?);
    send(&broker, draft).await
}

fn draft(
    rest: &str,
    uri: &Uri,
    headers: &HeaderMap,
    body: Bytes,
    caller: SocketAddr,
) -> Result<Draft, Refusal> {
    let fields = Fields::of_request(headers, uri.query())?;
    let options = fields.options()?;
    Ok(Draft {
        destination: destination::from_path(rest, uri.query())?,
        deduplication: fields.deduplication()?,
        queue: options.queue.clone(),
        options,
        body,
        schedule_id: None,
        caller_ip: caller.ip().to_string(),
    })
}

async fn send(broker: &Broker, draft: Draft) -> Result<Response, Refusal> {
    let now = Now::read(&broker.clock);
    Admission::new(broker, now).check(&draft).await?;
    let grouped = matches!(draft.destination, Destination::Group(_));
    let published = broker
        .store
        .write(move |tx| {
            let mut changes = Vec::new();
            Ok((publish::publish(tx, &draft, now, &mut changes)?, changes))
        })
        .await??;
    let repeated = !published.is_empty() && published.iter().all(|one| one.deduplicated.is_some());
    let status = if repeated {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(answer(published, grouped))).into_response())
}

/// Returns a list for a group, otherwise a single object.
pub(super) fn answer(mut published: Vec<Published>, grouped: bool) -> serde_json::Value {
    let one = if grouped { None } else { published.pop() };
    // Both are plain data, so they can always be serialized.
    one.map_or_else(|| serde_json::to_value(&published), serde_json::to_value)
        .unwrap_or_default()
}
