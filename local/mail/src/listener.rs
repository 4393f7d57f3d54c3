//! A listener that can close a connection without a response, as a broken network does.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt;

/// The timeout for a caller's request line and headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// The pause after a failed accept (usually: too many open files), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Marks a response that must not be sent: the connection is closed instead.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the connection was cut on purpose")]
pub(crate) struct Cut;

impl IntoResponse for Cut {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(self);
        response
    }
}

/// A bound address without a server: callers wait.
#[derive(Debug)]
pub(crate) struct Bound {
    address: SocketAddr,
    socket: TcpListener,
}

impl Bound {
    /// Binds `address` (port 0: a free one).
    pub(crate) async fn new(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        Ok(Self {
            address: socket.local_addr()?,
            socket,
        })
    }

    /// Returns `http://` and the bound address.
    pub(crate) fn url(&self) -> String {
        url(self.address)
    }

    /// Serves `router` on it.
    pub(crate) fn serve(self, router: Router) -> Listener {
        Listener {
            address: self.address,
            accepting: tokio::spawn(accept(self.socket, router)),
        }
    }
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// A bound address and its server. Dropping it closes the listener and its connections.
#[derive(Debug)]
pub(crate) struct Listener {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Listener {
    /// Returns `http://` and the bound address.
    pub(crate) fn url(&self) -> String {
        url(self.address)
    }

    /// Closes the listener and waits until its connections are closed.
    pub(crate) async fn stop(mut self) {
        self.accepting.abort();
        // Its only result is the requested cancellation.
        let _cancelled = (&mut self.accepting).await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(socket: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, router.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "connection not accepted; tried again after a pause");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, router: Router) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY not set; the connection is slower");
    }
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            let Ok(response) = router.oneshot(request.map(Body::new)).await;
            match response.extensions().get::<Cut>() {
                Some(cut) => Err(*cut),
                None => Ok(response),
            }
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "connection ended early");
    }
}
