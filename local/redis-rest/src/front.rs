//! The running front: accepts connections until it is stopped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::access::Tokens;
use crate::error::Error;
use crate::executor::Executor;
use crate::fault::Faults;
use crate::redis::Pool;
use crate::replica::Replica;
use crate::service::Service;
use crate::settings::Settings;

/// The pause after a failed accept, for example without free file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// A running front. Dropping it stops it and closes its connections.
pub struct Front {
    address: SocketAddr,
    service: Arc<Service>,
    /// Dropping this end stops the accepting task.
    running: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

/// Starts a front, which serves requests once this returns.
pub async fn start(settings: Settings) -> Result<Front, Error> {
    if settings.token.is_empty() {
        return Err(Error::EmptyToken);
    }
    let unreachable = |source| Error::Redis {
        address: settings.redis,
        source,
    };
    let replica = match settings.lag {
        Some(lag) => Some(
            Replica::follow(settings.redis, lag)
                .await
                .map_err(unreachable)?,
        ),
        None => None,
    };
    let executor = Executor::open(Pool::new(settings.redis), replica, settings.limits.clone())
        .await
        .map_err(unreachable)?;
    let taken = |source| Error::Listen {
        address: settings.listen,
        source,
    };
    let listener = TcpListener::bind(settings.listen).await.map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    let service = Arc::new(Service::new(Tokens::new(&settings), executor));
    let (running, stopped) = oneshot::channel();
    let accepting = tokio::spawn(accept(listener, Arc::clone(&service), stopped));
    Ok(Front {
        address,
        service,
        running,
        accepting,
    })
}

impl Front {
    /// Returns its URL for `UPSTASH_REDIS_REST_URL`: `http://`, address and the bound port.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the number of HTTP requests so far, including rejected ones.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.service.requests()
    }

    /// Returns the switch of faults.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.service.faults().clone()
    }

    /// Stops, and returns when the port is free and every connection closed.
    pub async fn stop(self) {
        drop(self.running);
        if let Err(error) = self.accepting.await {
            tracing::warn!(%error, "REST front not stopped cleanly");
        }
    }
}

async fn accept(listener: TcpListener, service: Arc<Service>, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, Arc::clone(&service)));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}

/// Serves one connection. Either side may close it, and a fault may close it on purpose.
async fn converse(stream: TcpStream, service: Arc<Service>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY not set; the connection is slower");
    }
    let answer = service_fn(|request| service.serve(request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), answer);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "connection ended early");
    }
}
