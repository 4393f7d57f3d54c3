//! Plain HTTP requests, one connection each, so that a closed connection is visible.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A complete response.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_owned()
    }
}

/// The address and the token.
#[derive(Clone)]
pub(crate) struct Client {
    authority: String,
    token: Option<String>,
    headers: Vec<(&'static str, &'static str)>,
}

impl Client {
    pub(crate) fn new(url: &str, token: &str) -> Self {
        let authority = url.strip_prefix("http://").unwrap().to_owned();
        Self {
            authority,
            token: Some(token.to_owned()),
            headers: Vec::new(),
        }
    }

    pub(crate) fn without_token(mut self) -> Self {
        self.token = None;
        self
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sends a request and waits for the head only.
    pub(crate) async fn open(
        &self,
        method: &str,
        target: &str,
        body: impl Into<Bytes>,
    ) -> hyper::Result<Response<Incoming>> {
        let stream = TcpStream::connect(&self.authority).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", &self.authority);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        sender
            .send_request(request.body(Full::new(body.into())).unwrap())
            .await
    }

    /// Sends a request and reads the whole response, or fails with the connection.
    pub(crate) async fn try_send(
        &self,
        method: &str,
        target: &str,
        body: impl Into<Bytes>,
    ) -> hyper::Result<Answer> {
        let (head, body) = self.open(method, target, body).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body,
        })
    }

    pub(crate) async fn send(&self, method: &str, target: &str, body: impl Into<Bytes>) -> Answer {
        self.try_send(method, target, body).await.unwrap()
    }

    /// `POST /` with a JSON array.
    pub(crate) async fn command(&self, json: &str) -> Answer {
        self.send("POST", "/", json.to_owned()).await
    }
}
