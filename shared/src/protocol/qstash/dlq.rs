//! The dead-letter queue: messages whose last retry has failed, until they are redriven or deleted.

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use serde::Deserialize;

use super::api::{Api, Call};
use super::error::Error;
use super::messages::{StoredMessage, bytes};

/// A message that could not be delivered.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DeadLetter {
    /// Its id in the queue, which differs from the id of the message.
    pub dlq_id: String,
    /// The status of the last answer, if there was one.
    pub response_status: Option<u16>,
    /// The message.
    #[serde(flatten)]
    pub message: StoredMessage,
    response_body: Option<String>,
    response_body_base64: Option<String>,
}

impl DeadLetter {
    /// Returns the body of the last answer.
    #[must_use]
    pub fn response_body(&self) -> Bytes {
        let (text, encoded) = (&self.response_body, &self.response_body_base64);
        bytes(text.clone(), encoded.clone())
    }
}

/// A page of dead letters.
#[derive(Clone, Debug)]
pub struct DeadLetterPage {
    /// The dead letters.
    pub items: Vec<DeadLetter>,
    /// The cursor of the next page; none on the last one.
    pub cursor: Option<String>,
}

/// A filter: dead letters match every member that is set. A comma in a value separates alternatives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    /// The id of the message.
    pub message_id: Option<String>,
    /// Its destination, exactly.
    pub url: Option<String>,
    /// One of its labels.
    pub label: Option<String>,
    /// Its flow-control key.
    pub flow_control_key: Option<String>,
    /// The schedule that created it.
    pub schedule_id: Option<String>,
    /// The status of the last answer.
    pub response_status: Option<u16>,
    /// Failed at this instant or later.
    pub from: Option<Timestamp>,
    /// Failed at this instant or earlier.
    pub to: Option<Timestamp>,
    /// The page size, 1 to 100; QStash's default is 100.
    pub count: Option<u32>,
}

impl DeadLetterFilter {
    /// Returns the filter as query parameters.
    fn pairs(&self) -> impl Iterator<Item = (&'static str, String)> {
        let millis = |at: Option<Timestamp>| at.map(|at| at.as_millisecond().to_string());
        [
            ("messageId", self.message_id.clone()),
            ("url", self.url.clone()),
            ("label", self.label.clone()),
            ("flowControlKey", self.flow_control_key.clone()),
            ("scheduleId", self.schedule_id.clone()),
            (
                "responseStatus",
                self.response_status.map(|it| it.to_string()),
            ),
            ("fromDate", millis(self.from)),
            ("toDate", millis(self.to)),
            ("count", self.count.map(|it| it.to_string())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

#[derive(Deserialize)]
struct Listing {
    messages: Vec<DeadLetter>,
    cursor: Option<String>,
}

#[derive(Deserialize)]
struct Redriven {
    responses: Vec<NewMessage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewMessage {
    message_id: String,
}

pub(super) async fn dead_letters(
    api: &Api,
    filter: &DeadLetterFilter,
    cursor: Option<&str>,
) -> Result<DeadLetterPage, Error> {
    let mut url = api.at(&["dlq"])?;
    let cursor = cursor.map(|it| ("cursor", it.to_owned()));
    let pairs: Vec<_> = filter.pairs().chain(cursor).collect();
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    let call = Call::new(Method::GET, url).repeatable();
    let listing: Listing = api.fetch(call).await?;
    Ok(DeadLetterPage {
        items: listing.messages,
        cursor: listing.cursor.filter(|it| !it.is_empty()),
    })
}

pub(super) async fn dead_letter(api: &Api, dlq_id: &str) -> Result<Option<DeadLetter>, Error> {
    let call = Call::new(Method::GET, api.at(&["dlq", dlq_id])?).repeatable();
    api.fetch(call).await.map(Some).or_else(Error::absent)
}

pub(super) async fn delete_dead_letter(api: &Api, dlq_id: &str) -> Result<bool, Error> {
    let call = Call::new(Method::DELETE, api.at(&["dlq", dlq_id])?).repeatable();
    let gone = api.send(call).await.map(Some).or_else(Error::absent)?;
    Ok(gone.is_some())
}

pub(super) async fn retry_dead_letters(api: &Api, dlq_ids: &[&str]) -> Result<Vec<String>, Error> {
    // Without an id this call would redrive the whole queue.
    if dlq_ids.is_empty() || dlq_ids.iter().any(|id| id.is_empty() || id.contains(',')) {
        return Err(Error::Argument(
            "a dead letter's id is empty or has a comma",
        ));
    }
    let mut url = api.at(&["dlq", "retry"])?;
    url.query_pairs_mut()
        .extend_pairs(dlq_ids.iter().map(|id| ("dlqIds", id)));
    let redriven: Redriven = api.fetch(Call::new(Method::POST, url)).await?;
    Ok(redriven
        .responses
        .into_iter()
        .map(|it| it.message_id)
        .collect())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::DeadLetterFilter;
    use crate::protocol::qstash::canned::{Answer, Server};

    const DEAD: &str = r#"{"dlqId":"1725-0","messageId":"m","url":"u","body":"{}","label":"job-1","responseStatus":489,"responseBody":"bad","callerIP":"::1"}"#;

    #[tokio::test]
    async fn dead_letters_are_listed_by_filter_and_page() {
        let server = Server::answering([
            Answer::json(200, &format!(r#"{{"messages":[{DEAD}],"cursor":"c2"}}"#)),
            Answer::json(200, r#"{"messages":[],"cursor":""}"#),
        ]);
        let filter = DeadLetterFilter {
            label: Some("job-1".into()),
            response_status: Some(489),
            from: Timestamp::from_millisecond(1500).ok(),
            ..DeadLetterFilter::default()
        };
        let client = server.client();
        let page = client.dead_letters(&filter, None).await.expect("a page");
        let (dead, cursor) = (&page.items[0], page.cursor.as_deref());
        assert_eq!((dead.dlq_id.as_str(), cursor), ("1725-0", Some("c2")));
        assert_eq!(dead.message.message_id, "m");
        assert_eq!(dead.message.labels, ["job-1"]);
        assert_eq!(
            (&dead.message.body[..], &dead.response_body()[..]),
            (&b"{}"[..], &b"bad"[..])
        );
        let page = client
            .dead_letters(&DeadLetterFilter::default(), cursor)
            .await;
        assert_eq!(page.expect("the last page").cursor, None);
        let line = "GET /v2/dlq?label=job-1&responseStatus=489&fromDate=1500 HTTP/1.1";
        assert_eq!(server.request().line, line);
        assert_eq!(server.request().line, "GET /v2/dlq?cursor=c2 HTTP/1.1");
    }

    #[tokio::test]
    async fn dead_letters_are_read_redriven_and_deleted() {
        let server = Server::answering([
            Answer::json(200, DEAD),
            Answer::json(201, r#"{"responses":[{"messageId":"m2"}],"cursor":""}"#),
            Answer::json(200, ""),
            Answer::json(404, r#"{"error":"not found"}"#),
        ]);
        let client = server.client();
        let dead = client.dead_letter("1725-0").await.expect("read");
        assert_eq!(dead.expect("there").response_status, Some(489));
        let new = client.retry_dead_letters(&["1725-0", "1726-0"]).await;
        assert_eq!(new.expect("redriven"), ["m2"]);
        assert!(client.delete_dead_letter("1725-0").await.expect("deleted"));
        assert!(!client.delete_dead_letter("1725-0").await.expect("gone"));
        assert_eq!(server.request().line, "GET /v2/dlq/1725-0 HTTP/1.1");
        let line = "POST /v2/dlq/retry?dlqIds=1725-0&dlqIds=1726-0 HTTP/1.1";
        assert_eq!(server.request().line, line);
    }

    #[tokio::test]
    async fn redrive_without_ids_is_refused() {
        let client = Server::answering([]).client();
        for ids in [&[][..], &[""], &["a", ""], &["a,b"]] {
            assert!(client.retry_dead_letters(ids).await.is_err(), "{ids:?}");
        }
    }

    #[tokio::test]
    async fn redrive_is_not_repeated_after_a_closed_connection() {
        let server = Server::answering([Answer::Cut, Answer::json(201, r#"{"responses":[]}"#)]);
        let error = server.client().retry_dead_letters(&["1-0"]).await;
        assert!(error.expect_err("cut").is_ambiguous());
    }
}
