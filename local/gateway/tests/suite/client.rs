//! An HTTP client with control over each byte.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A complete response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Asserts that API Gateway generated this response.
    #[track_caller]
    pub(crate) fn assert_refusal(&self, status: u16, message: &str) {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.json(), serde_json::json!({ "message": message }));
    }
}

/// Returns the address in a base URL.
pub(crate) fn address(url: &str) -> &str {
    url.strip_prefix("http://").unwrap()
}

/// Sends a request on a new connection.
pub(crate) async fn send(
    url: &str,
    request: http::request::Builder,
    body: impl Into<Bytes>,
) -> Answer {
    let stream = TcpStream::connect(address(url)).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let request = request.body(Full::new(body.into())).unwrap();
    let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    connection.abort();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

/// Sends a plain GET.
pub(crate) async fn get(url: &str, target: &str) -> Answer {
    send(
        url,
        Request::get(target).header("host", "localhost"),
        Bytes::new(),
    )
    .await
}

/// Sends raw bytes, closes the writing half and reads to the end.
pub(crate) async fn raw(url: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address(url)).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    read(stream).await
}

/// Reads to the end.
pub(crate) async fn read(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}
