//! A server that sends the same response to every request.

use std::time::Duration;

use shared::protocol::upstash::Redis;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::store::client;

/// The response on every connection, and whether the connection stays open.
#[derive(Clone)]
struct Reciting {
    answer: Vec<u8>,
    stays: bool,
}

/// Returns a client of a server with this response.
pub(super) async fn reciting(answer: impl Into<Vec<u8>>, stays: bool) -> Redis {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let reciting = Reciting {
        answer: answer.into(),
        stays,
    };
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(recite(stream, reciting.clone()));
        }
    });
    client(&url, "token")
}

async fn recite(mut stream: TcpStream, reciting: Reciting) {
    let mut asked = Vec::new();
    while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut asked).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let _ = stream.write_all(&reciting.answer).await;
    if reciting.stays {
        tokio::time::sleep(Duration::from_hours(1)).await;
    }
    // The client's remaining bytes are read, so that closing does not reset the connection before it has read the
    // response.
    let _ = stream.shutdown().await;
    while stream.read_buf(&mut asked).await.unwrap_or(0) > 0 {}
}

/// Returns a complete response.
pub(super) fn http(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// Returns a complete successful response.
pub(super) fn ok(body: &str) -> String {
    http("200 OK", "", body)
}
