//! `/v2/dlq`: lists, deletes and retries failed messages.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri};
use serde_json::{Map, Value, json};

use crate::broker::Broker;
use crate::dead_letter::{DeadLetter, DeadLetterId};
use crate::filter::Filter;
use crate::headers::Fields;
use crate::message::{Message, MessageId, Place};
use crate::options::{Options, Start};
use crate::publish::{self, Now};
use crate::scheduler::Change;
use crate::store::{self, Snapshot, Transaction};
use crate::usage;

use super::admission::Admission;
use super::bulk;
use super::refusal::Refusal;
use super::view;

/// The maximum number of entries that one call deletes or retries.
const MAX_BULK: usize = 100;

/// Lists the entries that match the filter.
pub(super) async fn list(
    State(broker): State<Arc<Broker>>,
    uri: Uri,
) -> Result<Json<Value>, Refusal> {
    let filter = Filter::parse(uri.query())?;
    let snapshot = broker.store.snapshot()?;
    let page = filter.page()?;
    // One more than the page shows whether another page follows.
    let mut found = matching(&snapshot, &filter, page + 1, broker.clock.now_ms())?;
    let more = found.len() > page;
    found.truncate(page);
    let cursor = found.last().filter(|_| more).map(|(id, _)| id.to_string());
    let messages = found
        .iter()
        .map(|(id, letter)| shown(&snapshot, *id, letter))
        .collect::<Result<Vec<_>, _>>()?;
    let mut answer = json!({ "messages": messages });
    if let Some(cursor) = cursor {
        answer["cursor"] = json!(cursor);
    }
    Ok(Json(answer))
}

/// Gets one entry.
pub(super) async fn get(
    State(broker): State<Arc<Broker>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let snapshot = broker.store.snapshot()?;
    let known = DeadLetterId::parse(&id).ok_or_else(|| not_found(&id))?;
    let letter = snapshot
        .dead_letter(known, broker.clock.now_ms())?
        .ok_or_else(|| not_found(&id))?;
    Ok(Json(Value::Object(shown(&snapshot, known, &letter)?)))
}

/// Deletes one entry.
pub(super) async fn delete(
    State(broker): State<Arc<Broker>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let known = DeadLetterId::parse(&id).ok_or_else(|| not_found(&id))?;
    match deleted(&broker, vec![known]).await? {
        0 => Err(not_found(&id)),
        deleted => Ok(Json(json!({ "deleted": deleted }))),
    }
}

/// Deletes every entry that matches the filter.
pub(super) async fn delete_many(
    State(broker): State<Arc<Broker>>,
    uri: Uri,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let ids = bulk_ids(&broker, uri.query(), &body)?;
    Ok(Json(json!({ "deleted": deleted(&broker, ids).await? })))
}

/// Publishes one entry again.
pub(super) async fn retry(
    State(broker): State<Arc<Broker>>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let known = DeadLetterId::parse(&id).ok_or_else(|| not_found(&id))?;
    let retried = retried(&broker, vec![known], uri.query(), &headers).await?;
    let message_id = retried.first().ok_or_else(|| not_found(&id))?;
    Ok((
        StatusCode::CREATED,
        Json(json!({ "messageId": message_id })),
    ))
}

/// Publishes every entry that matches the filter again.
pub(super) async fn retry_many(
    State(broker): State<Arc<Broker>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let ids = bulk_ids(&broker, uri.query(), &body)?;
    let retried = retried(&broker, ids, uri.query(), &headers).await?;
    let responses: Vec<Value> = retried
        .iter()
        .map(|id| json!({ "messageId": id }))
        .collect();
    // All matching entries were processed: there is no next page.
    Ok((
        StatusCode::CREATED,
        Json(json!({ "cursor": "", "responses": responses })),
    ))
}

fn bulk_ids(
    broker: &Broker,
    query: Option<&str>,
    body: &[u8],
) -> Result<Vec<DeadLetterId>, Refusal> {
    let filter = bulk::parse(query, body)?.filter;
    let most = filter.count_within(MAX_BULK)?.unwrap_or(usize::MAX);
    let now_ms = broker.clock.now_ms();
    Ok(matching(&broker.store.snapshot()?, &filter, most, now_ms)?
        .into_iter()
        .map(|(id, _)| id)
        .collect())
}

fn matching(
    snapshot: &Snapshot,
    filter: &Filter,
    most: usize,
    broker_ms: u64,
) -> Result<Vec<(DeadLetterId, DeadLetter)>, store::Error> {
    let mut found = Vec::new();
    let cursor = filter.cursor.as_deref().and_then(DeadLetterId::parse);
    snapshot.dead_letters(filter.order, cursor, broker_ms, |id, letter| {
        let named = filter.dlq_ids.is_empty() || filter.dlq_ids.contains(&id.to_string());
        let fits = named
            && filter.fits(&letter.message, letter.failed_ms)
            && filter.fits_status(Some(letter.response.status));
        if fits {
            found.push((id, letter));
        }
        if found.len() < most {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(found)
}

async fn deleted(broker: &Broker, ids: Vec<DeadLetterId>) -> Result<usize, store::Error> {
    let now_ms = broker.clock.now_ms();
    let delete = move |tx: &Transaction<'_>| {
        let mut deleted = 0;
        for id in ids {
            if let Some(letter) = tx.take_dead_letter(id, now_ms)? {
                tx.remove_body(letter.message.id.as_str())?;
                deleted += 1;
            }
        }
        Ok((deleted, Vec::new()))
    };
    broker.store.write(delete).await
}

/// Publishes entries again, each as a new message, with the changes in the request's headers.
async fn retried(
    broker: &Broker,
    ids: Vec<DeadLetterId>,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<Vec<MessageId>, Refusal> {
    let mut headers = headers.clone();
    // The content type belongs to this request, not to the message.
    headers.remove(http::header::CONTENT_TYPE);
    let fields = Fields::of_request(&headers, query)?;
    let now = Now::read(&broker.clock);
    Admission::new(broker, now)
        .check_parts(None, &fields.options()?, &Bytes::new())
        .await?;
    let retry = move |tx: &Transaction<'_>| {
        let (mut retried, mut changes) = (Vec::new(), Vec::new());
        if let Err(spent) = usage::check(tx, now, ids.len())? {
            return Ok((Err(spent), changes));
        }
        for id in ids {
            retried.extend(retry_one(tx, id, &fields, now, &mut changes)?);
        }
        Ok((Ok(retried), changes))
    };
    Ok(broker.store.write(retry).await??)
}

fn retry_one(
    tx: &Transaction<'_>,
    id: DeadLetterId,
    fields: &Fields,
    now: Now,
    changes: &mut Vec<Change>,
) -> Result<Option<MessageId>, store::Error> {
    let Some(letter) = tx.take_dead_letter(id, now.broker_ms)? else {
        return Ok(None);
    };
    let old = letter.message;
    let body = tx.body(old.id.as_str())?.unwrap_or_default();
    tx.remove_body(old.id.as_str())?;
    let base = Options {
        start: Start::Now,
        ..old.options
    };
    // The headers were checked before the transaction started.
    let options = fields.options_over(base.clone()).unwrap_or(base);
    let new = MessageId::new();
    let delay_ms = publish::delay_ms(options.start, now);
    let message = Message {
        place: old.place.map(|place| Place {
            queue: place.queue,
            root: new.clone(),
        }),
        id: new.clone(),
        options,
        created_ms: now.wall_ms,
        not_before_ms: now.wall_ms.saturating_add(delay_ms),
        due_ms: now.broker_ms.saturating_add(delay_ms),
        retried: 0,
        ..old
    };
    publish::insert(tx, &message, &body, now, changes)?;
    Ok(Some(new))
}

fn shown(
    snapshot: &Snapshot,
    id: DeadLetterId,
    letter: &DeadLetter,
) -> Result<Map<String, Value>, store::Error> {
    let body = snapshot.body(letter.message.id.as_str())?;
    let mut shown = view::message(&letter.message, body.as_deref());
    shown.insert("dlqId".to_owned(), json!(id.to_string()));
    shown.insert("failedAt".to_owned(), json!(letter.failed_ms));
    view::response(&mut shown, &letter.response);
    Ok(shown)
}

fn not_found(id: &str) -> Refusal {
    Refusal::NotFound(format!("message {id} not found in the dead letter queue"))
}
