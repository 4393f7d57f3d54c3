//! The listener and its two routes.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::message_store::{MessageStore, PushMessage};
use crate::token;

/// The largest message, in bytes. Every push service must accept this size (RFC 8030 section 7.2), and most accept no
/// more.
const MAX_BODY: usize = 4096;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct Error {
    address: SocketAddr,
    #[source]
    source: io::Error,
}

/// The running push service. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    url: String,
    message_store: MessageStore,
    serving: JoinHandle<()>,
}

/// Starts the push service; port 0 takes a free one.
pub async fn start(listen: SocketAddr) -> Result<Server, Error> {
    let failed = |source| Error {
        address: listen,
        source,
    };
    let socket = TcpListener::bind(listen).await.map_err(failed)?;
    let url = format!("http://{}", socket.local_addr().map_err(failed)?);
    let message_store = MessageStore::default();
    let router = Router::new()
        .route("/push/{name}", post(take))
        .route("/messages", get(messages))
        .layer(DefaultBodyLimit::max(16 * MAX_BODY))
        .with_state((url.clone(), message_store.clone()));
    let serving = tokio::spawn(async move {
        if let Err(error) = axum::serve(socket, router).await {
            tracing::error!(%error, "push service stopped by an error");
        }
    });
    Ok(Server {
        url,
        message_store,
        serving,
    })
}

impl Server {
    /// Returns its origin, for `PUSH_SERVICES`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the endpoint of a subscription.
    #[must_use]
    pub fn endpoint(&self, name: &str) -> String {
        format!("{}/push/{name}", self.url)
    }

    /// Returns the accepted messages, in their order.
    #[must_use]
    pub fn taken(&self) -> Vec<PushMessage> {
        self.message_store.taken()
    }

    /// Returns the number of messages, including rejected ones.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.message_store.requests()
    }

    /// Sets the response of a subscription; none restores the normal one.
    pub fn answer_with(&self, name: &str, status: Option<StatusCode>) {
        self.message_store.answer_with(name, status);
    }
}

impl Server {
    /// Sets the response to the next message of a subscription.
    pub fn answer_first_with(&self, name: &str, status: StatusCode) {
        self.message_store.answer_first_with(name, status);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn messages(State((_, message_store)): State<(String, MessageStore)>) -> Response {
    axum::Json(message_store.taken()).into_response()
}

async fn take(
    State((origin, message_store)): State<(String, MessageStore)>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(status) = message_store.asked(&name) {
        return planned(status, &origin);
    }
    match check(&origin, name, &headers, &body) {
        Ok(message) => {
            message_store.take(message);
            StatusCode::CREATED.into_response()
        }
        Err((status, why)) => (status, why).into_response(),
    }
}

/// Returns the response that a test set, with its headers.
fn planned(status: StatusCode, origin: &str) -> Response {
    let mut response = status.into_response();
    let headers = response.headers_mut();
    if status == StatusCode::TOO_MANY_REQUESTS {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if let Ok(elsewhere) = HeaderValue::try_from(format!("{origin}/push/elsewhere"))
        && status.is_redirection()
    {
        headers.insert(header::LOCATION, elsewhere);
    }
    response
}

fn check(
    origin: &str,
    name: String,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<PushMessage, (StatusCode, String)> {
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let refuse = |status, why: &str| (status, why.to_owned());
    let authorization = text("authorization");
    token::check(&authorization, origin, now())
        .map_err(|why| (StatusCode::FORBIDDEN, why.to_string()))?;
    if body.len() > MAX_BODY {
        return Err(refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the message is too large",
        ));
    }
    let content_encoding = text("content-encoding");
    if content_encoding != "aes128gcm" {
        return Err(refuse(
            StatusCode::BAD_REQUEST,
            "the message is not encrypted",
        ));
    }
    let ttl = text("ttl").parse();
    let ttl = ttl.map_err(|_| refuse(StatusCode::BAD_REQUEST, "there is no TTL"))?;
    let topic = text("topic");
    let is_topic = topic.len() <= 32
        && topic
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !is_topic {
        return Err(refuse(StatusCode::BAD_REQUEST, "the topic is none"));
    }
    Ok(PushMessage {
        name,
        body: URL_SAFE_NO_PAD.encode(body),
        content_encoding,
        ttl,
        urgency: text("urgency"),
        topic,
        authorization,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a push service has a clock of its own"
)]
fn now() -> Timestamp {
    Timestamp::now()
}
