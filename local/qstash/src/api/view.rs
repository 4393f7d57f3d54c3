//! Messages in the API's form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::event::Response;
use crate::message::Message;
use crate::name::Name;
use crate::options::Options;
use crate::redaction;

/// Milliseconds in a second.
const SECOND_MS: u64 = 1_000;

/// Returns a message and its body, redacted as its publisher requested.
pub(super) fn message(message: &Message, body: Option<&[u8]>) -> Map<String, Value> {
    let mut shown = Map::new();
    let queue = message
        .place
        .as_ref()
        .filter(|_| !message.shares_place())
        .map(|place| &place.queue);
    shown.insert("messageId".to_owned(), json!(message.id));
    shown.insert("url".to_owned(), json!(message.target.as_str()));
    name(&mut shown, "topicName", message.url_group.as_ref());
    name(&mut shown, "endpointName", message.endpoint.as_ref());
    name(&mut shown, "queueName", queue);
    name(&mut shown, "scheduleId", message.schedule_id.as_ref());
    shown.insert(
        "maxRetries".to_owned(),
        json!(message.options.max_retries()),
    );
    shown.insert("notBefore".to_owned(), json!(message.not_before_ms));
    shown.insert("createdAt".to_owned(), json!(message.created_ms));
    // The API's description and the SDK's types spell it differently.
    shown.insert("callerIP".to_owned(), json!(message.caller_ip));
    shown.insert("callerIp".to_owned(), json!(message.caller_ip));
    options(&mut shown, &message.options);
    content(&mut shown, &message.options, body);
    shown
}

/// Adds the members that messages and schedules share.
pub(super) fn options(shown: &mut Map<String, Value>, options: &Options) {
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            shown.insert(name.to_owned(), value);
        }
    };
    set("method", Some(json!(options.method)));
    set(
        "header",
        Some(json!(options.redaction.headers(&options.headers))),
    );
    set(
        "callback",
        options
            .callback
            .as_ref()
            .map(|callback| json!(callback.target.as_str())),
    );
    set(
        "failureCallback",
        options
            .failure_callback
            .as_ref()
            .map(|callback| json!(callback.target.as_str())),
    );
    set(
        "retryDelayExpression",
        options
            .retry_delay
            .as_ref()
            .map(|expression| json!(expression.as_str())),
    );
    set(
        "timeout",
        options.timeout_ms.map(|timeout_ms| json!(timeout_ms)),
    );
    set("label", options.labels.first().map(|label| json!(label)));
    set(
        "labels",
        (!options.labels.is_empty()).then(|| json!(options.labels)),
    );
    if let Some(flow) = &options.flow_control {
        set("flowControlKey", Some(json!(flow.key)));
        set(
            "parallelism",
            flow.limits.parallelism.map(|most| json!(most)),
        );
        set("rate", flow.limits.rate.map(|most| json!(most)));
        set(
            "period",
            Some(json!(flow.limits.period_ms.div_ceil(SECOND_MS))),
        );
    }
}

/// Adds the body: text as text, other bytes as base64, nothing if there is none.
pub(super) fn content(shown: &mut Map<String, Value>, options: &Options, body: Option<&[u8]>) {
    let Some(body) = body.filter(|body| !body.is_empty()) else {
        return;
    };
    if options.redaction.hides_body() {
        shown.insert("body".to_owned(), json!(redaction::mark(body)));
    } else if let Ok(text) = std::str::from_utf8(body) {
        shown.insert("body".to_owned(), json!(text));
    } else {
        shown.insert("bodyBase64".to_owned(), json!(STANDARD.encode(body)));
    }
}

fn name(shown: &mut Map<String, Value>, key: &str, name: Option<&Name>) {
    if let Some(name) = name {
        shown.insert(key.to_owned(), json!(name));
    }
}

/// Adds a receiver's response: a text body as text, other bytes as base64.
pub(super) fn response(shown: &mut Map<String, Value>, response: &Response) {
    shown.insert("responseStatus".to_owned(), json!(response.status));
    shown.insert("responseHeader".to_owned(), json!(response.headers));
    if let Some(error) = &response.error {
        shown.insert("responseBody".to_owned(), json!(error));
        return;
    }
    match STANDARD.decode(&response.body).map(String::from_utf8) {
        Ok(Ok(text)) => shown.insert("responseBody".to_owned(), json!(text)),
        _ => shown.insert("responseBodyBase64".to_owned(), json!(response.body)),
    };
}
