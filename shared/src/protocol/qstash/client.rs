//! The client: an address, a token, a deadline, and the single function that makes every call.

use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method};
use serde::de::DeserializeOwned;
use url::Url;

use super::error::{Error, SetupError};
use super::reply;
use crate::base::env;
use crate::base::secret::Secret;
use crate::protocol::http as transport;

/// The default time limit of a call, including its repetition.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// The public address of QStash (the default of `QSTASH_URL`).
const PUBLIC_URL: &str = "https://qstash.upstash.io";

/// A client of the QStash API, version 2. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    authorization: HeaderValue,
    timeout: Duration,
}

/// One request, and whether it is repeatable.
#[derive(Debug)]
pub(super) struct Call {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
    repeatable: bool,
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
        let base = Url::parse(url).map_err(|_| SetupError::Url)?;
        if !transport::is_base(&base) {
            return Err(SetupError::Url);
        }
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_| SetupError::Token)?;
        authorization.set_sensitive(true);
        Ok(Self {
            http: transport::client(timeout)?,
            base,
            authorization,
            timeout,
        })
    }

    /// Errors unless QStash answers and accepts the token.
    ///
    /// Reads the account's parallelism (`GET /v2/globalParallelism`): two numbers, whatever the account holds. Unlike
    /// `GET /v2/keys`, it transfers no secret.
    pub async fn ping(&self) -> Result<(), Error> {
        let call = Call::new(Method::GET, self.at(&["globalParallelism"])?).repeatable();
        self.send(call).await.map(drop)
    }

    /// Returns the address of `/v2/{segments}`, each segment escaped.
    ///
    /// Errors for an empty or dotted segment. It would vanish from the path, and `DELETE /v2/messages/{id}` would
    /// become `DELETE /v2/messages`, which cancels everything.
    pub(super) fn at(&self, segments: &[&str]) -> Result<Url, Error> {
        if segments.iter().any(|it| matches!(*it, "" | "." | "..")) {
            return Err(Error::Argument("an id is empty or a path"));
        }
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Error::Argument("the URL takes no path"))?
            .pop_if_empty()
            .push("v2")
            .extend(segments);
        Ok(url)
    }

    /// Returns the address of `/v2/{verb}/{destination}`. The protocol requires the raw destination: its slashes stay,
    /// and its query becomes the query of the request.
    pub(super) fn towards(&self, verb: &str, destination: &Url) -> Result<Url, Error> {
        let base = self.base.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}/v2/{verb}/{destination}"))
            .map_err(|_| Error::Argument("the destination is not allowed in a URL"))
    }

    /// Makes the call and decodes its JSON answer.
    pub(super) async fn fetch<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        let body = self.send(call).await?;
        serde_json::from_slice(&body).map_err(Error::Decode)
    }

    /// Makes the call. A repeatable call is repeated once if the connection fails, within the same deadline.
    pub(super) async fn send(&self, call: Call) -> Result<Bytes, Error> {
        if !call.repeatable {
            return self.attempt(&call, self.timeout).await;
        }
        let half = self.timeout / 2;
        let first = match self.attempt(&call, half).await {
            Err(error @ Error::Transport(_)) => error,
            settled => return settled,
        };
        // The first attempt may have succeeded; a plain rejection of the second one must not hide that.
        match self.attempt(&call, half).await {
            Err(second) if first.is_ambiguous() && !second.is_ambiguous() => Err(first),
            settled => settled,
        }
    }

    async fn attempt(&self, call: &Call, deadline: Duration) -> Result<Bytes, Error> {
        let response = self
            .http
            .request(call.method.clone(), call.url.clone())
            .headers(call.headers.clone())
            .header(AUTHORIZATION, &self.authorization)
            .body(call.body.clone())
            .timeout(deadline)
            .send()
            .await
            .map_err(|error| Error::Transport(error.without_url()))?;
        reply::read(response).await
    }
}

impl Call {
    /// Returns a request without a body, to be sent once.
    pub(super) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            repeatable: false,
        }
    }

    /// Adds these headers and this body.
    pub(super) fn with(mut self, headers: HeaderMap, body: Bytes) -> Self {
        self.headers = headers;
        self.body = body;
        self
    }

    /// Marks the call as repeatable.
    pub(super) fn repeatable(self) -> Self {
        self.repeatable_if(true)
    }

    /// Marks the call as repeatable if `safe`.
    pub(super) fn repeatable_if(mut self, safe: bool) -> Self {
        self.repeatable = safe;
        self
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
            assert!(client.at(&["messages", id]).is_err(), "{id:?}");
        }
        let url = client.at(&["messages", "a/../b?all#x"]).expect("escaped");
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
