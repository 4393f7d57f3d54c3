//! Publishing one message.

use http::Method;
use serde::Deserialize;

use super::api::{Api, Call};
use super::error::Error;
use super::message::Message;

/// A message that QStash has accepted.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// QStash's id of the message; for a duplicate, that of the first one.
    pub message_id: String,
    /// Whether the deduplication id was already known: then nothing more is delivered.
    #[serde(default)]
    pub deduplicated: bool,
}

pub(super) async fn publish(api: &Api, message: &Message) -> Result<Published, Error> {
    let url = api.towards("publish", message.destination())?;
    let call = Call::new(Method::POST, url)
        .with(message.headers().clone(), message.body().clone())
        .repeatable_if(message.is_deduplicated());
    api.fetch(call).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderName, Method};
    use url::Url;

    use crate::protocol::qstash::canned::{Answer, Server};
    use crate::protocol::qstash::{
        DeduplicationId, Error, FlowControl, FlowKey, Label, Message, Published,
    };

    fn message(destination: &str) -> crate::protocol::qstash::Builder {
        Message::to(Url::parse(destination).expect("a url"))
    }

    #[tokio::test]
    async fn each_option_is_sent_as_its_header() {
        let server = Server::answering([Answer::json(200, r#"{"messageId":"msg_1","url":"u"}"#)]);
        let callback = Url::parse("https://h.test/done?a=b").expect("a url");
        let flow = FlowControl::new(FlowKey::derive("email.high.0")).parallelism(2);
        let message = message("https://h.test/api/jobs/send-email")
            .body(&b"{\"jobId\":\"1\"}"[..], "application/json")
            .method(&Method::PUT)
            .delay(Duration::from_mins(1))
            .retries(5)
            .retry_delay("min(86400000, 1000 * pow(2, retried))")
            .timeout(Duration::from_secs(28))
            .callback(&callback)
            .failure_callback(&callback)
            .deduplication_id(&DeduplicationId::derive("job-1"))
            .label(&Label::derive("job-1"))
            .label(&Label::derive("email"))
            .flow_control(&flow)
            .forward(&HeaderName::from_static("x-job-type"), "email")
            .build()
            .expect("a message");
        let published = server.client().publish(&message).await.expect("published");
        let expected = Published {
            message_id: "msg_1".into(),
            deduplicated: false,
        };
        assert_eq!(published, expected);
        let request = server.request();
        let line = "POST /v2/publish/https://h.test/api/jobs/send-email HTTP/1.1";
        assert_eq!(request.line, line);
        assert_eq!(request.body, b"{\"jobId\":\"1\"}");
        assert_eq!(request.header("content-type"), Some("application/json"));
        let headers = [
            "upstash-callback: https://h.test/done?a=b",
            "upstash-deduplication-id: job-1",
            "upstash-delay: 60s",
            "upstash-failure-callback: https://h.test/done?a=b",
            "upstash-flow-control-key: email.high.0",
            "upstash-flow-control-value: parallelism=2",
            "upstash-forward-x-job-type: email",
            "upstash-label: job-1,email",
            "upstash-method: PUT",
            "upstash-retries: 5",
            "upstash-retry-delay: min(86400000, 1000 * pow(2, retried))",
            "upstash-timeout: 28s",
        ];
        assert_eq!(request.upstash(), headers);
    }

    #[tokio::test]
    async fn destination_is_sent_unescaped_with_slashes_and_query() {
        let targets = [
            "https://h.test//a/%2F/b?x=1&y=%20z",
            "http://[::1]:3000/api/jobs/send-email",
            "http://localhost:3000/?redirect=https://x.test/?q",
        ];
        for target in targets {
            let server = Server::answering([Answer::json(200, r#"{"messageId":"m"}"#)]);
            let message = message(target).build().expect("a message");
            server.client().publish(&message).await.expect("published");
            let line = format!("POST /v2/publish/{target} HTTP/1.1");
            assert_eq!(server.request().line, line);
        }
    }

    #[tokio::test]
    async fn duplicate_message_is_reported_as_deduplicated() {
        let duplicate = r#"{"messageId":"msg_1","deduplicated":true}"#;
        let server = Server::answering([Answer::json(202, duplicate)]);
        let message = message("https://h.test/")
            .deduplication_id(&DeduplicationId::derive("d"))
            .build();
        let message = message.expect("a message");
        let published = server.client().publish(&message).await.expect("taken");
        assert!(published.deduplicated);
    }

    #[tokio::test]
    async fn only_a_message_with_a_deduplication_id_is_repeated() {
        let taken = || Answer::json(200, r#"{"messageId":"m"}"#);
        let server = Server::answering([Answer::Cut, taken()]);
        let plain = message("https://h.test/").build().expect("a message");
        let error = server.client().publish(&plain).await.expect_err("cut");
        assert!(error.is_ambiguous(), "{error:?}");
        assert_eq!(server.requests(), 1);

        let server = Server::answering([Answer::Cut, taken()]);
        let safe = message("https://h.test/")
            .deduplication_id(&DeduplicationId::derive("d"))
            .build();
        let safe = safe.expect("a message");
        server.client().publish(&safe).await.expect("repeated");
        let (first, second) = (server.request(), server.request());
        assert_eq!((first.line, first.body), (second.line, second.body));
    }

    #[tokio::test]
    async fn unreadable_success_is_ambiguous() {
        for body in ["", "[]", r#"{"id":1}"#, "{\"messageId\":"] {
            let server = Server::answering([Answer::json(200, body)]);
            let message = message("https://h.test/").build().expect("a message");
            let error = server.client().publish(&message).await.expect_err(body);
            assert!(matches!(error, Error::Decode(_)) && error.is_ambiguous());
        }
    }
}
