//! The listener and the four calls.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, header};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::bucket_dir::{BucketDir, Object};
use crate::place::place;
use crate::refusal::Refusal;
use crate::signature::{self, Account, Keys};

/// The largest object, in bytes: well above the largest document.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The settings of the store.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address; port 0 takes a free port.
    pub listen: SocketAddr,
    /// The folder of the objects.
    pub folder: PathBuf,
    /// The existing buckets.
    pub buckets: Vec<String>,
    /// The region of the buckets; calls signed for another region are rejected.
    pub region: String,
    /// The accepted access keys.
    pub keys: Vec<Keys>,
}

/// Why the store did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is in use or not permitted.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The folder is unusable.
    #[error("cannot store objects in {}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

/// The running store. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    url: String,
    store: Arc<Store>,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct Store {
    bucket_dirs: BTreeMap<String, BucketDir>,
    account: Account,
    requests: AtomicU64,
}

/// Starts the store.
pub async fn start(settings: Settings) -> Result<Server, Error> {
    let mut bucket_dirs = BTreeMap::new();
    for bucket in settings.buckets {
        let folder = settings.folder.join(&bucket);
        let bucket_dir = BucketDir::open(&folder).await;
        let bucket_dir = bucket_dir.map_err(|source| Error::Folder { folder, source })?;
        bucket_dirs.insert(bucket, bucket_dir);
    }
    let failed = |source| Error::Listen {
        address: settings.listen,
        source,
    };
    let socket = TcpListener::bind(settings.listen).await.map_err(failed)?;
    let url = format!("http://{}", socket.local_addr().map_err(failed)?);
    let store = Arc::new(Store {
        bucket_dirs,
        account: Account {
            region: settings.region,
            keys: settings.keys,
        },
        requests: AtomicU64::new(0),
    });
    let router = Router::new().fallback(serve).with_state(Arc::clone(&store));
    let serving = tokio::spawn(async move {
        if let Err(error) = axum::serve(socket, router).await {
            tracing::error!(%error, "object store stopped by an error");
        }
    });
    Ok(Server {
        url,
        store,
        serving,
    })
}

impl Server {
    /// Returns its endpoint.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the number of calls, including rejected ones.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.store.requests.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(State(store): State<Arc<Store>>, request: Request) -> Response {
    store.requests.fetch_add(1, Ordering::Relaxed);
    match store.answer(request).await {
        Ok(answer) => answer,
        Err(refusal) => refusal.into_response(),
    }
}

impl Store {
    async fn answer(&self, request: Request) -> Result<Response, Refusal> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, MAX_BYTES)
            .await
            .map_err(|_| Refusal::TooLarge)?;
        signature::check(&self.account, &parts, &body, now())?;
        let (bucket, key) = place(&parts)?;
        let kept = self.bucket_dirs.get(&bucket).ok_or(Refusal::NoSuchBucket)?;
        match parts.method {
            Method::PUT => {
                let content_type = parts.headers.get(header::CONTENT_TYPE);
                let content_type = content_type.and_then(|value| value.to_str().ok());
                let content_type = content_type.unwrap_or("binary/octet-stream").to_owned();
                let object = Object { content_type, body };
                kept.put(&key, &object)
                    .await
                    .map_err(|error| failed(&error))?;
                Ok(StatusCode::OK.into_response())
            }
            Method::GET | Method::HEAD => {
                let object = kept.get(&key).await.map_err(|error| failed(&error))?;
                let object = object.ok_or(Refusal::NoSuchKey)?;
                let about = [
                    (header::CONTENT_TYPE, object.content_type),
                    (header::CONTENT_LENGTH, object.body.len().to_string()),
                ];
                Ok((about, Body::from(object.body)).into_response())
            }
            Method::DELETE => {
                kept.remove(&key).await.map_err(|error| failed(&error))?;
                Ok(StatusCode::NO_CONTENT.into_response())
            }
            _ => Err(Refusal::NotImplemented),
        }
    }
}

fn failed(error: &io::Error) -> Refusal {
    tracing::error!(%error, "object not read or written; answered InternalError");
    Refusal::Internal
}

#[expect(clippy::disallowed_methods, reason = "a store has a clock of its own")]
fn now() -> Timestamp {
    Timestamp::now()
}
