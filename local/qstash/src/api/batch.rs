//! `POST /v2/batch`: many messages in one transaction.
//!
//! A malformed item makes the batch malformed: nothing is sent. A well-formed item may be unsendable: an unknown group,
//! an unresolvable host, or a plan that does not allow it. Then it has its own error, and the others are sent. The
//! documentation does not state where the real service draws this line; this follows the page on batches.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::destination::Destination;
use crate::headers::Fields;
use crate::name::Name;
use crate::publish::{self, Draft, Now};

use super::admission::Admission;
use super::publish::answer;
use super::refusal::Refusal;

#[derive(Deserialize)]
struct Item {
    destination: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    queue: Option<String>,
}

/// Publishes every valid item; the responses are in the order of the items.
pub(super) async fn batch(
    State(broker): State<Arc<Broker>>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let items: Vec<Value> = serde_json::from_slice(&body)?;
    let caller_ip = caller.ip().to_string();
    let drafts: Vec<Draft> = items
        .into_iter()
        .enumerate()
        .map(|(at, item)| {
            draft(item, &caller_ip).map_err(|refusal| {
                Refusal::Invalid(format!("message {at} of the batch: {refusal}"))
            })
        })
        .collect::<Result<_, _>>()?;
    let now = Now::read(&broker.clock);
    let drafts = admitted(&broker, drafts, now).await;
    let answers = broker
        .store
        .write(move |tx| {
            let mut changes = Vec::new();
            let mut answers = Vec::with_capacity(drafts.len());
            for draft in drafts {
                let draft = match draft {
                    Ok(draft) => draft,
                    Err(error) => {
                        answers.push(json!({ "error": error }));
                        continue;
                    }
                };
                let grouped = matches!(draft.destination, Destination::Group(_));
                answers.push(match publish::publish(tx, &draft, now, &mut changes)? {
                    Ok(published) => answer(published, grouped),
                    Err(error) => json!({ "error": error.to_string() }),
                });
            }
            Ok((answers, changes))
        })
        .await?;
    Ok(Json(Value::Array(answers)))
}

async fn admitted(broker: &Broker, drafts: Vec<Draft>, now: Now) -> Vec<Result<Draft, String>> {
    let mut admission = Admission::new(broker, now);
    let mut admitted = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let checked = admission.check(&draft).await;
        admitted.push(
            checked
                .map(|()| draft)
                .map_err(|refusal| refusal.to_string()),
        );
    }
    admitted
}

fn draft(item: Value, caller_ip: &str) -> Result<Draft, Refusal> {
    let item: Item = serde_json::from_value(item)?;
    let fields = Fields::of_pairs(item.headers);
    let options = fields.options()?;
    let queue = item
        .queue
        .filter(|queue| !queue.is_empty())
        .map(|queue| Name::parse(&queue))
        .transpose()?;
    Ok(Draft {
        destination: Destination::parse(&item.destination)?,
        deduplication: fields.deduplication()?,
        queue: queue.or_else(|| options.queue.clone()),
        options,
        body: Bytes::from(item.body.unwrap_or_default()),
        schedule_id: None,
        caller_ip: caller_ip.to_owned(),
    })
}
