//! An HTTP/1.1 server on a loopback listener that stops when it is dropped.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::limit;

/// The response type of the servers of this crate.
pub(crate) type Answer = Response<Full<Bytes>>;

/// The kind of peer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Peer {
    /// Any client. Its request head has a timeout. A client that has closed its writing half still gets its response.
    Client,
    /// A Lambda runtime. It keeps its connection while it works; a closed connection means that it has ended.
    Runtime,
}

/// A running server. Dropping it closes the listener and every connection.
#[derive(Debug)]
pub(crate) struct Listening {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Listening {
    /// Serves `handle` on the listener.
    pub(crate) fn serve<H, F>(listener: TcpListener, peer: Peer, handle: H) -> std::io::Result<Self>
    where
        H: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, peer, handle));
        Ok(Self { address, accepting })
    }

    /// Returns the bound address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept<H, F>(listener: TcpListener, peer: Peer, handle: H)
where
    H: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                connections.spawn(converse(stream, address, peer, handle.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "connection not accepted; tried again after a pause");
                // Usually the process is out of file descriptors: an immediate retry would only spin.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn converse<H, F>(stream: TcpStream, address: SocketAddr, peer: Peer, handle: H)
where
    H: Fn(Request<Incoming>, SocketAddr) -> F,
    F: Future<Output = Answer>,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY not set; the connection is slower");
    }
    let service = service_fn(move |request| {
        let answer = handle(request, address);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let (head_read, half_close) = match peer {
        Peer::Client => (Some(limit::HEAD_READ), true),
        Peer::Runtime => (None, false),
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_read)
        .half_close(half_close)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, %address, "connection ended early");
    }
}
