//! Publishing many messages with one request.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::api::{Api, Call};
use super::error::Error;
use super::message::Message;
use super::publish::Published;

/// Why QStash did not accept one message of a batch; others may have been accepted. The text is QStash's.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("QStash rejected the message: {0}")]
pub struct Refusal(pub String);

/// A message in a batch. Its body is text, because the batch is JSON.
#[derive(Serialize)]
struct Item<'a> {
    destination: &'a str,
    headers: BTreeMap<&'a str, &'a str>,
    body: &'a str,
}

/// The result of an item. Both members are optional on the wire, and one is present.
#[derive(Deserialize)]
struct Outcome {
    error: Option<String>,
    #[serde(flatten)]
    published: Option<Published>,
}

/// QStash answers a batch with a list; a list of one may lack its brackets.
#[derive(Deserialize)]
#[serde(untagged)]
enum Outcomes {
    Many(Vec<Outcome>),
    One(Outcome),
}

pub(super) async fn batch<M: Borrow<Message> + Sync>(
    api: &Api,
    messages: &[M],
) -> Result<Vec<Result<Published, Refusal>>, Error> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let items: Vec<_> = messages
        .iter()
        .map(|it| item(it.borrow()))
        .collect::<Result<_, _>>()?;
    let body = serde_json::to_vec(&items)
        .map_err(|_| Error::Argument("the batch cannot be serialized as JSON"))?;
    let json = HeaderValue::from_static("application/json");
    let call = Call::new(Method::POST, api.at(&["batch"])?)
        .with(HeaderMap::from_iter([(CONTENT_TYPE, json)]), body.into())
        .repeatable_if(messages.iter().all(|it| it.borrow().is_deduplicated()));
    results(&api.send(call).await?, messages.len())
}

fn item(message: &Message) -> Result<Item<'_>, Error> {
    let headers = message.headers().iter();
    Ok(Item {
        destination: message.destination().as_str(),
        headers: headers
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect(),
        body: std::str::from_utf8(message.body())
            .map_err(|_| Error::Argument("a batch carries text bodies only"))?,
    })
}

fn results(body: &Bytes, expected: usize) -> Result<Vec<Result<Published, Refusal>>, Error> {
    let outcomes = match serde_json::from_slice(body).map_err(Error::Decode)? {
        Outcomes::Many(outcomes) => outcomes,
        Outcomes::One(outcome) => vec![outcome],
    };
    if outcomes.len() != expected {
        let text = format!("{} results for {expected} messages", outcomes.len());
        return Err(Error::Decode(serde_json::Error::custom(text)));
    }
    outcomes.into_iter().map(result).collect()
}

fn result(outcome: Outcome) -> Result<Result<Published, Refusal>, Error> {
    match (outcome.error, outcome.published) {
        (Some(text), _) => Ok(Err(Refusal(text))),
        (None, Some(published)) => Ok(Ok(published)),
        (None, None) => Err(Error::Decode(serde_json::Error::missing_field("messageId"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use url::Url;

    use super::Refusal;
    use crate::protocol::qstash::canned::{Answer, Server};
    use crate::protocol::qstash::{Builder, DeduplicationId, Error, Message};

    fn message(path: &str) -> Builder {
        Message::to(
            Url::parse("https://h.test")
                .and_then(|it| it.join(path))
                .expect("a url"),
        )
    }

    #[tokio::test]
    async fn batch_is_one_request_and_a_refused_item_leaves_the_others() {
        let answer = json!([{"messageId": "m1"}, {"error": "too many"}, {"messageId": "m3", "deduplicated": true, "url": "u"}]);
        let server = Server::answering([Answer::json(200, &answer.to_string())]);
        let messages = ["/a", "/b?x=1", "/c"].map(|path| {
            let message = message(path).json(&json!({"path": path})).retries(2);
            message.build().expect("a message")
        });
        let results = server.client().batch(&messages).await.expect("a batch");
        assert_eq!(results[0].as_ref().expect("taken").message_id, "m1");
        assert_eq!(results[1], Err(Refusal("too many".into())));
        assert!(results[2].as_ref().expect("taken").deduplicated);
        let request = server.request();
        assert_eq!(request.line, "POST /v2/batch HTTP/1.1");
        assert_eq!(request.header("content-type"), Some("application/json"));
        let sent: serde_json::Value = serde_json::from_slice(&request.body).expect("json");
        let headers = json!({"content-type": "application/json", "upstash-retries": "2"});
        let second = json!({"destination": "https://h.test/b?x=1", "headers": headers, "body": "{\"path\":\"/b?x=1\"}"});
        assert_eq!(
            (sent.as_array().map(Vec::len), &sent[1]),
            (Some(3), &second)
        );
    }

    #[tokio::test]
    async fn single_result_without_an_array_is_accepted() {
        let server = Server::answering([Answer::json(200, r#"{"messageId":"m"}"#)]);
        let one = [message("/").build().expect("a message")];
        let results = server.client().batch(&one).await.expect("a batch");
        assert!(results[0].is_ok());
    }

    #[tokio::test]
    async fn empty_batch_sends_no_request() {
        let server = Server::answering([]);
        assert_eq!(
            server
                .client()
                .batch::<Message>(&[])
                .await
                .expect("nothing"),
            []
        );
    }

    #[tokio::test]
    async fn results_that_do_not_match_the_messages_are_an_error() {
        for answer in [
            "[]",
            r#"[{"messageId":"a"},{"messageId":"b"}]"#,
            "[{}]",
            "[3]",
        ] {
            let server = Server::answering([Answer::json(200, answer)]);
            let one = [message("/").build().expect("a message")];
            let error = server.client().batch(&one).await.expect_err(answer);
            assert!(matches!(error, Error::Decode(_)), "{answer}: {error:?}");
        }
    }

    #[tokio::test]
    async fn batch_is_repeated_only_if_every_message_is_repeatable() {
        let safe = || {
            message("/")
                .deduplication_id(&DeduplicationId::derive("d"))
                .build()
                .expect("built")
        };
        let plain = || message("/").build().expect("built");
        let answers = || {
            [
                Answer::Cut,
                Answer::json(200, r#"[{"messageId":"a"},{"messageId":"b"}]"#),
            ]
        };
        let server = Server::answering(answers());
        let mixed = server.client().batch(&[safe(), plain()]).await;
        assert!(mixed.expect_err("cut").is_ambiguous());
        let server = Server::answering(answers());
        let results = server.client().batch(&[safe(), safe()]).await;
        assert_eq!(results.expect("repeated").len(), 2);
    }

    #[tokio::test]
    async fn binary_body_in_a_batch_is_refused() {
        let binary = message("/").body(&[0xff][..], "application/octet-stream");
        let binary = [binary.build().expect("a message")];
        let error = Server::answering([]).client().batch(&binary).await;
        assert!(matches!(error, Err(Error::Argument(_))));
    }
}
