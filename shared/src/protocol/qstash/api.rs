//! The calls of the API: an address, a token, a deadline, and the single function that makes every call.

use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method};
use serde::de::DeserializeOwned;
use url::Url;

use super::error::{Error, SetupError};
use super::reply;
use crate::base::secret::Secret;
use crate::protocol::http as transport;

/// The QStash API, version 2. Clones share their connections.
#[derive(Clone, Debug)]
pub(super) struct Api {
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

impl Api {
    /// Returns the API at `url`. Every call ends within `timeout`.
    pub(super) fn new(url: &str, token: &Secret, timeout: Duration) -> Result<Self, SetupError> {
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
