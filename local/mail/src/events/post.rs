//! One POST over plain HTTP: subscribers listen on loopback.

use std::io;
use std::time::Duration;

use axum::body::Body;
use http::header::{CONNECTION, HOST};
use http::{Method, Uri};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::event::{self, Request};

/// The timeout of the subscriber, equal to that of SNS and Svix.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Why an event got no response.
#[derive(Debug, thiserror::Error)]
pub enum Undelivered {
    /// No address is subscribed.
    #[error("no endpoint is subscribed")]
    NoAddress,
    /// The subscribed address is not an `http://host:port/...` URL.
    #[error("the endpoint must be a plain HTTP URL")]
    Address,
    /// The event cannot be signed.
    #[error(transparent)]
    Unsigned(#[from] event::Error),
    /// The address refuses connections.
    #[error("the endpoint cannot be connected to")]
    Connect(#[from] io::Error),
    /// The connection broke.
    #[error("the connection was lost")]
    Broken(#[from] hyper::Error),
    /// The response timed out.
    #[error("the endpoint did not answer within {} s", TIMEOUT.as_secs())]
    Silent,
}

/// Sends a POST and returns the status of the response.
pub(super) async fn post(url: &str, request: &Request) -> Result<u16, Undelivered> {
    tokio::time::timeout(TIMEOUT, exchange(url, request))
        .await
        .unwrap_or(Err(Undelivered::Silent))
}

async fn exchange(url: &str, request: &Request) -> Result<u16, Undelivered> {
    let url: Uri = url.parse().map_err(|_| Undelivered::Address)?;
    let authority = url.authority().ok_or(Undelivered::Address)?;
    if url.scheme_str() != Some("http") {
        return Err(Undelivered::Address);
    }
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let mut building = http::Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(HOST, authority.as_str())
        .header(CONNECTION, "close");
    for (name, value) in &request.headers {
        building = building.header(*name, value);
    }
    let built = building
        .body(Body::from(request.body.clone()))
        .map_err(|_| Undelivered::Address)?;
    let stream = TcpStream::connect((authority.host(), authority.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::pin!(connection);
    let answering = sender.send_request(built);
    tokio::pin!(answering);
    let answer = tokio::select! {
        answer = &mut answering => answer?,
        // An error of the connection also fails the response.
        _ = &mut connection => answering.await?,
    };
    Ok(answer.status().as_u16())
}
