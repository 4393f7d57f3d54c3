//! Stored messages: reading one, and cancelling one or many before they are delivered.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use serde::Deserialize;

use super::api::{Api, Call};
use super::error::Error;
use super::name::Label;

/// A message as QStash reports it.
#[derive(Clone, Deserialize)]
#[serde(from = "Wire")]
#[non_exhaustive]
pub struct StoredMessage {
    /// QStash's id.
    pub message_id: String,
    /// The destination.
    pub url: String,
    /// The headers of the delivery.
    pub headers: BTreeMap<String, Vec<String>>,
    /// The body.
    pub body: Bytes,
    /// The number of retries.
    pub max_retries: Option<u32>,
    /// The publication time, if QStash reports it.
    pub created_at: Option<Timestamp>,
    /// The earliest time of the delivery.
    pub not_before: Option<Timestamp>,
    /// The schedule that created it.
    pub schedule_id: Option<String>,
    /// Its labels.
    pub labels: Vec<String>,
    /// Its flow-control key.
    pub flow_control_key: Option<String>,
}

/// The members on the wire: a body is text or base64, instants are Unix milliseconds, and a single label has its own
/// member.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    message_id: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    header: Option<BTreeMap<String, Vec<String>>>,
    body: Option<String>,
    body_base64: Option<String>,
    max_retries: Option<u32>,
    created_at: Option<i64>,
    not_before: Option<i64>,
    schedule_id: Option<String>,
    label: Option<String>,
    #[serde(default)]
    labels: Option<Vec<String>>,
    flow_control_key: Option<String>,
}

impl From<Wire> for StoredMessage {
    fn from(wire: Wire) -> Self {
        let labels = wire.labels.filter(|labels| !labels.is_empty());
        Self {
            message_id: wire.message_id,
            url: wire.url,
            headers: wire.header.unwrap_or_default(),
            body: bytes(wire.body, wire.body_base64),
            max_retries: wire.max_retries,
            created_at: wire.created_at.and_then(instant),
            not_before: wire.not_before.and_then(instant),
            schedule_id: wire.schedule_id.filter(|id| !id.is_empty()),
            labels: labels.unwrap_or_else(|| wire.label.into_iter().collect()),
            flow_control_key: wire.flow_control_key.filter(|key| !key.is_empty()),
        }
    }
}

/// Shows the message's metadata, not its content.
impl std::fmt::Debug for StoredMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredMessage")
            .field("message_id", &self.message_id)
            .field("url", &self.url)
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}

/// Returns a body that is sent as text if it is UTF-8 and as base64 otherwise. An undecodable body is empty, so that
/// one message does not fail a whole list.
pub(super) fn bytes(text: Option<String>, encoded: Option<String>) -> Bytes {
    let decoded = encoded.and_then(|it| STANDARD.decode(it).ok());
    decoded
        .or_else(|| text.map(String::into_bytes))
        .map_or_else(Bytes::new, Bytes::from)
}

/// Returns a Unix time in milliseconds; 0 means none.
pub(super) fn instant(millis: i64) -> Option<Timestamp> {
    let millis = (millis != 0).then_some(millis)?;
    Timestamp::from_millisecond(millis).ok()
}

/// The number of cancelled messages. Newer servers cancel in the background and count later.
#[derive(Deserialize)]
struct Cancelled {
    #[serde(default)]
    cancelled: u64,
}

pub(super) async fn message(api: &Api, id: &str) -> Result<Option<StoredMessage>, Error> {
    let call = Call::new(Method::GET, api.at(&["messages", id])?).repeatable();
    api.fetch(call).await.map(Some).or_else(Error::absent)
}

pub(super) async fn cancel(api: &Api, id: &str) -> Result<bool, Error> {
    let call = Call::new(Method::DELETE, api.at(&["messages", id])?).repeatable();
    let gone = api.send(call).await.map(Some).or_else(Error::absent)?;
    Ok(gone.is_some())
}

pub(super) async fn cancel_labelled(api: &Api, label: &Label) -> Result<u64, Error> {
    let mut url = api.at(&["messages"])?;
    url.query_pairs_mut().append_pair("label", label.as_str());
    let call = Call::new(Method::DELETE, url);
    api.fetch(call).await.map(|it: Cancelled| it.cancelled)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use crate::protocol::qstash::Label;
    use crate::protocol::qstash::canned::{Answer, Server};

    #[tokio::test]
    async fn message_is_read_with_a_text_or_base64_body() {
        let text = r#"{"messageId":"m","url":"u","body":"hi","header":{"X-A":["1"]},"label":"a","createdAt":1000,"notBefore":0}"#;
        let binary =
            r#"{"messageId":"m","bodyBase64":"/w==","label":"a","labels":["a","b"],"header":null}"#;
        let server = Server::answering([
            Answer::json(200, text),
            Answer::json(200, binary),
            Answer::json(404, r#"{"error":"message not found"}"#),
        ]);
        let client = server.client();
        let first = client.message("m").await.expect("read").expect("there");
        assert_eq!((&first.body[..], first.labels.len()), (&b"hi"[..], 1));
        assert_eq!(first.created_at.map(Timestamp::as_second), Some(1));
        assert_eq!(first.not_before, None);
        let second = client.message("m").await.expect("read").expect("there");
        assert_eq!((&second.body[..], second.labels.len()), (&b"\xff"[..], 2));
        assert!(client.message("m").await.expect("read").is_none());
        assert_eq!(server.request().line, "GET /v2/messages/m HTTP/1.1");
    }

    #[tokio::test]
    async fn cancel_reports_whether_a_message_was_cancelled() {
        let server = Server::answering([
            Answer::json(202, r#"{"cancelled":1}"#),
            Answer::json(404, "{}"),
            Answer::json(200, r#"{"cancelled":7}"#),
        ]);
        let client = server.client();
        assert!(client.cancel("msg_1").await.expect("cancelled"));
        assert!(!client.cancel("msg_1").await.expect("gone"));
        let label = Label::parse("job-1").expect("a label");
        assert_eq!(client.cancel_labelled(&label).await.expect("counted"), 7);
        assert_eq!(server.request().line, "DELETE /v2/messages/msg_1 HTTP/1.1");
        server.request();
        let line = "DELETE /v2/messages?label=job-1 HTTP/1.1";
        assert_eq!(server.request().line, line);
    }

    #[tokio::test]
    async fn cancel_with_an_unsafe_id_is_not_sent() {
        let server = Server::answering([]);
        for id in ["", ".", ".."] {
            assert!(server.client().cancel(id).await.is_err(), "{id:?}");
        }
    }
}
