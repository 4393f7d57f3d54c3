//! The messages that report the result of an attempt to the publisher.
//!
//! Source: <https://upstash.com/docs/qstash/features/callbacks>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::dead_letter::DeadLetterId;
use crate::event::Response;
use crate::header_map::Headers;
use crate::message::{Message, MessageId};
use crate::options::{Callback, Method};
use crate::publish::{self, Now};
use crate::scheduler::Change;
use crate::store::{self, Transaction};

/// The body of the callback. The two times are text, as in the documented example.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    status: u16,
    header: &'a Headers,
    body: String,
    retried: u32,
    max_retries: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    dlq_id: Option<String>,
    source_message_id: &'a MessageId,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint_name: Option<&'a str>,
    url: &'a str,
    method: Method,
    source_header: &'a Headers,
    source_body: String,
    not_before: String,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule_id: Option<&'a str>,
    #[serde(rename = "callerIP")]
    caller_ip: &'a str,
}

/// Publishes the report of an attempt. It takes its message's slot in the queue, so that the next message waits.
pub(crate) fn publish(
    tx: &Transaction<'_>,
    callback: &Callback,
    source: &Message,
    response: &Response,
    dead_letter: Option<DeadLetterId>,
    now: Now,
    changes: &mut Vec<Change>,
) -> Result<(), store::Error> {
    let source_body = tx.body(source.id.as_str())?.unwrap_or_default();
    let body = serde_json::to_vec(&report(source, response, dead_letter, &source_body))?;
    publish::insert(tx, &message(callback, source, now), &body, now, changes)
}

fn report<'a>(
    source: &'a Message,
    response: &'a Response,
    dead_letter: Option<DeadLetterId>,
    source_body: &[u8],
) -> Report<'a> {
    let text = |name: &'a Option<crate::name::Name>| name.as_ref().map(crate::name::Name::as_str);
    Report {
        status: response.status,
        header: &response.headers,
        body: response
            .error
            .as_ref()
            .map_or_else(|| response.body.clone(), |error| STANDARD.encode(error)),
        retried: source.retried,
        max_retries: source.options.max_retries(),
        dlq_id: dead_letter.map(|id| id.to_string()),
        source_message_id: &source.id,
        topic_name: text(&source.url_group),
        endpoint_name: text(&source.endpoint),
        url: source.target.as_str(),
        method: source.options.method,
        source_header: &source.options.headers,
        source_body: STANDARD.encode(source_body),
        not_before: source.not_before_ms.to_string(),
        created_at: source.created_ms.to_string(),
        schedule_id: text(&source.schedule_id),
        caller_ip: &source.caller_ip,
    }
}

fn message(callback: &Callback, source: &Message, now: Now) -> Message {
    let mut options = callback.options.clone();
    options.retries = Some(
        options
            .retries
            .unwrap_or_else(|| source.options.max_retries()),
    );
    options
        .headers
        .set("Content-Type", vec!["application/json".to_owned()]);
    let delay_ms = publish::delay_ms(options.start, now);
    Message {
        id: MessageId::new(),
        target: callback.target.clone(),
        options,
        place: source.place.clone(),
        url_group: None,
        endpoint: None,
        schedule_id: None,
        caller_ip: source.caller_ip.clone(),
        created_ms: now.wall_ms,
        not_before_ms: now.wall_ms.saturating_add(delay_ms),
        due_ms: now.broker_ms.saturating_add(delay_ms),
        retried: 0,
    }
}
