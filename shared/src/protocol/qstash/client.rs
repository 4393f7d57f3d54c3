//! The client: an index of the calls that QStash answers, each made in the file of its subject.

use std::borrow::Borrow;
use std::time::Duration;

use http::Method;

use super::api::{Api, Call};
use super::batch::{self, Refusal};
use super::dlq::{self, DeadLetter, DeadLetterFilter, DeadLetterPage};
use super::error::{Error, SetupError};
use super::flow_control::{self, FlowControlState};
use super::message::Message;
use super::messages::{self, StoredMessage};
use super::name::{FlowKey, Label, ScheduleId};
use super::publish::{self, Published};
use super::schedules::{self, Schedule};
use crate::base::env;
use crate::base::secret::Secret;

/// The default time limit of a call, including its repetition.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// The public address of QStash (the default of `QSTASH_URL`).
const PUBLIC_URL: &str = "https://qstash.upstash.io";

/// A client of the QStash API, version 2. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    api: Api,
}

impl Client {
    /// Returns a client from `QSTASH_URL` (default: the public address) and `QSTASH_TOKEN`, with [`DEFAULT_TIMEOUT`].
    pub fn from_env() -> Result<Self, env::Error> {
        let url = env::optional("QSTASH_URL").unwrap_or_else(|| PUBLIC_URL.to_owned());
        let token = env::secret("QSTASH_TOKEN")?;
        Self::new(&url, &token, DEFAULT_TIMEOUT).map_err(|error| env::Error::Malformed {
            name: match error {
                SetupError::Token => "QSTASH_TOKEN",
                SetupError::Url | SetupError::Http(_) => "QSTASH_URL",
            },
            reason: error.to_string(),
        })
    }

    /// Returns a client for the QStash at `url`. Every call ends within `timeout`.
    pub fn new(url: &str, token: &Secret, timeout: Duration) -> Result<Self, SetupError> {
        let api = Api::new(url, token, timeout)?;
        Ok(Self { api })
    }

    /// Errors unless QStash answers and accepts the token.
    ///
    /// Reads the account's parallelism (`GET /v2/globalParallelism`): two numbers, whatever the account holds. Unlike
    /// `GET /v2/keys`, it transfers no secret.
    pub async fn ping(&self) -> Result<(), Error> {
        let call = Call::new(Method::GET, self.api.at(&["globalParallelism"])?).repeatable();
        self.api.send(call).await.map(drop)
    }

    /// Publishes `message`. It is repeated once after a broken connection, but only if it has a deduplication id:
    /// otherwise a repetition could deliver it twice.
    pub async fn publish(&self, message: &Message) -> Result<Published, Error> {
        publish::publish(&self.api, message).await
    }

    /// Publishes `messages` with one request of at most 100 MB. Returns one result per message, in order: a rejected
    /// message does not affect the others. The request is repeated after a broken connection if every message has a
    /// deduplication id.
    pub async fn batch<M: Borrow<Message> + Sync>(
        &self,
        messages: &[M],
    ) -> Result<Vec<Result<Published, Refusal>>, Error> {
        batch::batch(&self.api, messages).await
    }

    /// Returns the message `id`, while QStash holds it: QStash deletes it soon after its delivery.
    pub async fn message(&self, id: &str) -> Result<Option<StoredMessage>, Error> {
        messages::message(&self.api, id).await
    }

    /// Cancels the message `id`; false if QStash no longer holds it. A delivery in progress is not stopped, only its
    /// retries.
    pub async fn cancel(&self, id: &str) -> Result<bool, Error> {
        messages::cancel(&self.api, id).await
    }

    /// Cancels all messages with this label and returns their number, as far as QStash has counted.
    pub async fn cancel_labelled(&self, label: &Label) -> Result<u64, Error> {
        messages::cancel_labelled(&self.api, label).await
    }

    /// Creates the schedule `id`, or replaces it completely: options that the message lacks are removed. So repeating
    /// the call changes nothing.
    pub async fn put_schedule(
        &self,
        id: &ScheduleId,
        cron: &str,
        message: &Message,
    ) -> Result<(), Error> {
        schedules::put_schedule(&self.api, id, cron, message).await
    }

    /// Returns all schedules. Their number is bounded by the plan.
    pub async fn schedules(&self) -> Result<Vec<Schedule>, Error> {
        schedules::schedules(&self.api).await
    }

    /// Returns the schedule `id`, if it exists.
    pub async fn schedule(&self, id: &str) -> Result<Option<Schedule>, Error> {
        schedules::schedule(&self.api, id).await
    }

    /// Deletes the schedule `id`; false if it did not exist. Messages that it has published are still delivered.
    pub async fn delete_schedule(&self, id: &str) -> Result<bool, Error> {
        schedules::delete_schedule(&self.api, id).await
    }

    /// Pauses the schedule `id`.
    pub async fn pause_schedule(&self, id: &str) -> Result<(), Error> {
        schedules::pause_schedule(&self.api, id).await
    }

    /// Resumes the schedule `id`.
    pub async fn resume_schedule(&self, id: &str) -> Result<(), Error> {
        schedules::resume_schedule(&self.api, id).await
    }

    /// Returns the dead letters that match `filter`, starting at `cursor`.
    pub async fn dead_letters(
        &self,
        filter: &DeadLetterFilter,
        cursor: Option<&str>,
    ) -> Result<DeadLetterPage, Error> {
        dlq::dead_letters(&self.api, filter, cursor).await
    }

    /// Returns the dead letter `dlq_id`, if it is still in the queue.
    pub async fn dead_letter(&self, dlq_id: &str) -> Result<Option<DeadLetter>, Error> {
        dlq::dead_letter(&self.api, dlq_id).await
    }

    /// Deletes the dead letter `dlq_id`; false if it did not exist.
    pub async fn delete_dead_letter(&self, dlq_id: &str) -> Result<bool, Error> {
        dlq::delete_dead_letter(&self.api, dlq_id).await
    }

    /// Publishes these dead letters as new messages, removes them from the queue, and returns the new ids. An absent
    /// one creates no message. Never repeated: the ids would be lost.
    pub async fn retry_dead_letters(&self, dlq_ids: &[&str]) -> Result<Vec<String>, Error> {
        dlq::retry_dead_letters(&self.api, dlq_ids).await
    }

    /// Returns the state of `key`. QStash knows a key while it has messages.
    pub async fn flow_control(&self, key: &FlowKey) -> Result<Option<FlowControlState>, Error> {
        flow_control::flow_control(&self.api, key).await
    }

    /// Pauses the deliveries of `key` until [`Self::resume_flow_control`].
    pub async fn pause_flow_control(&self, key: &FlowKey) -> Result<(), Error> {
        flow_control::pause_flow_control(&self.api, key).await
    }

    /// Resumes the deliveries of `key`.
    pub async fn resume_flow_control(&self, key: &FlowKey) -> Result<(), Error> {
        flow_control::resume_flow_control(&self.api, key).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Client, SetupError};
    use crate::base::secret::Secret;
    use crate::protocol::qstash::canned::{Answer, Server};
    use crate::protocol::qstash::error::Error;

    #[tokio::test]
    async fn ping_sends_only_the_token() {
        let server = Server::answering([Answer::json(200, r#"{"parallelismMax":1}"#)]);
        server.client().ping().await.expect("alive");
        let request = server.request();
        assert_eq!(request.line, "GET /v2/globalParallelism HTTP/1.1");
        assert_eq!(request.header("authorization"), Some("Bearer token"));
        assert!(request.body.is_empty());
    }

    #[tokio::test]
    async fn refused_token_is_reported_as_unauthorized() {
        for status in [401, 403] {
            let server = Server::answering([Answer::json(status, r#"{"error":"no"}"#)]);
            let error = server.client().ping().await.expect_err("refused");
            assert!(matches!(error, Error::Unauthorized), "{status}: {error:?}");
            assert!(!error.is_ambiguous());
        }
    }

    #[tokio::test]
    async fn closed_connection_is_repeated_once_for_a_safe_request() {
        let server = Server::answering([Answer::Cut, Answer::json(200, "{}")]);
        server.client().ping().await.expect("the second time");
        let server = Server::answering([Answer::Cut, Answer::Cut, Answer::json(200, "{}")]);
        let error = server.client().ping().await.expect_err("cut twice");
        assert!(matches!(error, Error::Transport(_)), "{error:?}");
        assert_eq!(server.requests(), 2);
    }

    #[tokio::test]
    async fn refused_repetition_of_a_lost_request_stays_ambiguous() {
        let server = Server::answering([Answer::Cut, Answer::json(429, "{}")]);
        let error = server.client().ping().await.expect_err("failed");
        assert!(error.is_ambiguous(), "{error:?}");
    }

    #[tokio::test]
    async fn silent_server_ends_in_a_timeout() {
        let server = Server::answering([Answer::Silence, Answer::Silence]);
        let client = server.client_within(Duration::from_millis(200));
        let error = client.ping().await.expect_err("late");
        assert!(error.is_timeout() && error.is_ambiguous() && error.is_transient());
    }

    #[tokio::test]
    async fn closed_port_is_not_ambiguous() {
        let url = Server::answering([]).into_closed_url();
        let client = Client::new(&url, &Secret::new("t".into()), Duration::from_secs(2));
        let error = client.expect("client").ping().await.expect_err("closed");
        assert!(matches!(error, Error::Transport(_)) && !error.is_ambiguous());
    }

    #[test]
    fn id_is_escaped_and_cannot_change_the_path() {
        let client = Server::answering([]).client();
        for id in ["", ".", ".."] {
            assert!(client.api.at(&["messages", id]).is_err(), "{id:?}");
        }
        let url = client
            .api
            .at(&["messages", "a/../b?all#x"])
            .expect("escaped");
        assert_eq!(url.path(), "/v2/messages/a%2F..%2Fb%3Fall%23x");
        assert_eq!(url.query(), None);
    }

    #[test]
    fn invalid_url_or_token_is_refused_and_the_token_is_not_printed() {
        let make = |url: &str, token: &str| {
            Client::new(url, &Secret::new(token.into()), Duration::from_secs(1))
        };
        for url in ["", "qstash", "ftp://h", "http://h?x=1", "http://u:p@h"] {
            assert!(matches!(make(url, "t"), Err(SetupError::Url)), "{url}");
        }
        assert!(matches!(make("http://h", "a\nb"), Err(SetupError::Token)));
        assert!(!format!("{:?}", make("http://h", "hush")).contains("hush"));
    }
}
