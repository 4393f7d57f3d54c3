//! An HTTP server that records its requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request to the receiver.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) at: Instant,
}

impl Received {
    /// Returns a required header.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("{name} is missing"))
            .to_str()
            .expect("text")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

/// A response of the receiver.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) after: Duration,
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: b"done".to_vec(),
            after: Duration::ZERO,
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn after_ms(self, millis: u64) -> Self {
        self.after(Duration::from_millis(millis))
    }

    pub(crate) fn after(mut self, after: Duration) -> Self {
        self.after = after;
        self
    }
}

type Script = Box<dyn Fn(&Received, usize) -> Answer + Send + Sync>;

struct Log {
    received: Mutex<Vec<Received>>,
    running: Mutex<HashMap<String, Traffic>>,
    script: Script,
}

/// The activity at a path.
#[derive(Default)]
struct Traffic {
    came: usize,
    now: usize,
    most: usize,
}

/// An HTTP server that records its requests.
pub(crate) struct Receiver {
    url: String,
    log: Arc<Log>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Answers as `script` decides from the request and the number of earlier requests to its path.
    pub(crate) async fn start(
        script: impl Fn(&Received, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let log = Arc::new(Log {
            received: Mutex::default(),
            running: Mutex::default(),
            script: Box::new(script),
        });
        let router = Router::new().fallback(receive).with_state(Arc::clone(&log));
        let task =
            tokio::spawn(async move { axum::serve(listener, router).await.expect("serves") });
        Self { url, log, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Returns the requests to `path`, in order.
    pub(crate) fn at(&self, path: &str) -> Vec<Received> {
        let received = self.log.received.lock().expect("not poisoned");
        received
            .iter()
            .filter(|one| one.path == path)
            .cloned()
            .collect()
    }

    /// Returns all requests, in order.
    pub(crate) fn all(&self) -> Vec<Received> {
        self.log.received.lock().expect("not poisoned").clone()
    }

    /// Returns the number of requests to all paths.
    pub(crate) fn count(&self) -> usize {
        self.log.received.lock().expect("not poisoned").len()
    }

    /// Returns the maximum number of concurrent requests to `path`.
    pub(crate) fn most_at_once(&self, path: &str) -> usize {
        self.log
            .running
            .lock()
            .expect("not poisoned")
            .get(path)
            .map_or(0, |traffic| traffic.most)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn receive(
    State(log): State<Arc<Log>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri
        .path_and_query()
        .map(ToString::to_string)
        .unwrap_or_default();
    let received = Received {
        method,
        path: path.clone(),
        headers,
        body,
        at: Instant::now(),
    };
    let before = {
        let mut running = log.running.lock().expect("not poisoned");
        let traffic = running.entry(path.clone()).or_default();
        traffic.now += 1;
        traffic.came += 1;
        traffic.most = traffic.most.max(traffic.now);
        traffic.came - 1
    };
    log.received
        .lock()
        .expect("not poisoned")
        .push(received.clone());
    let answer = (log.script)(&received, before);
    tokio::time::sleep(answer.after).await;
    log.running
        .lock()
        .expect("not poisoned")
        .entry(path)
        .or_default()
        .now -= 1;
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).expect("a response")
}
