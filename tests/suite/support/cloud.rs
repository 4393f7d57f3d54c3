//! A local cloud for one test: its own Redis, QStash, mailbox and function instances, and a new database in a cluster
//! that all tests share.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use local::cloud::{Cloud, Database, Settings};
use local::postgres::{self, Cluster, Passwords};
use local_qstash::Disorder;
use reqwest::RequestBuilder;
use serde_json::Value;
use shared::base::env;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::signer::Signer;

/// The timeout for anything that must happen. It is generous: a test checks that it happens, not how fast.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// Routes with statistics for people, which are plain reads of Redis.
const READ_PLAINLY: [&str; 4] = [
    "/api/queue/stats",
    "/api/queue/schedules",
    "/api/cache/stats",
    "/api/health/redis",
];

/// A cloud and a client with its service token.
pub(crate) struct TestCloud {
    cloud: Cloud,
    http: reqwest::Client,
    /// The lag of plain reads of Redis.
    lag: Duration,
    _folder: TempDir,
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

impl TestCloud {
    /// Starts a cloud with production settings, with QStash's clock sixty times as fast.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts a cloud with changed settings.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::throwaway(folder.path());
        settings.database = Database::Made(fresh_database().await);
        settings.qstash_speed = 60.0;
        make_strict(&mut settings);
        // No test should reach a limit that it does not concern.
        for limiter in ["API", "PUBLIC", "SERVICE"] {
            let rate = ("RATE_LIMIT_".to_owned() + limiter, "1000000/1m".to_owned());
            settings.overrides.extend([rate]);
        }
        change(&mut settings);
        let lag = settings.replica_lag.unwrap_or_default();
        let cloud = Cloud::start(settings).await.unwrap();
        let http = shared::protocol::http::client(Duration::from_mins(1)).unwrap();
        Self {
            cloud,
            http,
            lag,
            _folder: folder,
        }
    }

    /// Returns a variable of the cloud.
    pub(crate) fn variable(&self, name: &str) -> &str {
        &self.environment()[name]
    }

    /// Returns the URL of a route.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.functions_url())
    }

    /// Returns a request with the service token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path)
            .bearer_auth(self.variable("API_TOKEN"))
    }

    /// Returns a request without a token.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// Sends a GET with the service token. Statistics are plain reads and may lag by the replica's delay, so the
    /// replica is waited for.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        if READ_PLAINLY.iter().any(|route| path.starts_with(route)) {
            self.replica_follows().await;
        }
        answer(self.request(Method::GET, path)).await
    }

    /// Waits until plain reads of Redis show everything that was written before.
    pub(crate) async fn replica_follows(&self) {
        if !self.lag.is_zero() {
            tokio::time::sleep(self.lag + Duration::from_millis(100)).await;
        }
    }

    /// Sends a POST of a JSON body with the service token.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        answer(with_json(self.request(Method::POST, path), body)).await
    }

    /// Enqueues an e-mail and returns the job's id.
    pub(crate) async fn enqueue(&self, payload: &Value) -> String {
        let taken = self.post("/api/queue/emails", payload).await;
        assert_eq!(taken.status, 202, "{taken:?}");
        taken.body["jobId"].as_str().unwrap().to_owned()
    }

    /// Returns the job from the API.
    pub(crate) async fn job(&self, id: &str) -> Value {
        self.get(&format!("/api/queue/jobs/{id}")).await.body
    }

    /// Waits until the job has a status, and returns the job.
    pub(crate) async fn wait_for(&self, id: &str, status: &str) -> Value {
        self.wait_longer_for(id, status, TIMEOUT).await
    }

    /// Waits longer than `wait_for`, for waits of the product itself.
    pub(crate) async fn wait_longer_for(
        &self,
        id: &str,
        status: &str,
        patience: Duration,
    ) -> Value {
        let mut job = Value::Null;
        let mut waited = Duration::ZERO;
        while waited < patience {
            job = self.job(id).await;
            if job["status"] == status {
                return job;
            }
            let pause = Duration::from_millis(50);
            tokio::time::sleep(pause).await;
            waited += pause;
        }
        panic!("job {id} is not {status} after {patience:?}: {job:#}");
    }

    /// Delivers a body to a job's function as QStash would, signed with the current key.
    pub(crate) async fn deliver(&self, handler: &str, body: &Value) -> Answer {
        self.deliver_as("msg_test", handler, body).await
    }

    /// Delivers with a message id. A sweep makes plain reads, and leaves changes that a replica does not show yet to
    /// the next sweep, so the replica is waited for.
    pub(crate) async fn deliver_as(&self, message: &str, handler: &str, body: &Value) -> Answer {
        if handler == "relay-outbox" {
            self.replica_follows().await;
        }
        let path = format!("/api/jobs/{handler}");
        let text = body.to_string();
        let token = self.signer().sign(&self.url(&path), text.as_bytes());
        let request = self
            .bare(Method::POST, &path)
            .header("content-type", "application/json")
            .header("upstash-signature", token)
            .header("upstash-message-id", message)
            .body(text);
        answer(request).await
    }

    /// Returns a signer with QStash's current key.
    pub(crate) fn signer(&self) -> Signer {
        Signer::new(self.variable("QSTASH_CURRENT_SIGNING_KEY"))
    }

    /// Returns all logs of the parts and the functions so far.
    pub(crate) fn logs(&self) -> String {
        let files = std::fs::read_dir(self.data().join("log")).unwrap();
        files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .collect()
    }

    /// Returns all events of the queue that match a query, over all pages.
    pub(crate) async fn queue_events(&self, query: &str) -> Vec<Value> {
        let (mut events, mut cursor) = (Vec::new(), String::new());
        loop {
            let url = format!("{}/v2/events?{query}&cursor={cursor}", self.qstash().url());
            let request = self.http.get(url);
            let page = answer(request.bearer_auth(self.variable("QSTASH_TOKEN"))).await;
            events.extend(page.body["events"].as_array().unwrap().iter().cloned());
            match page.body["cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return events,
            }
        }
    }

    /// Calls a function with an unchanged event, without the gateway's limits.
    pub(crate) async fn invoke(&self, function: &str, event: Value) -> Answer {
        let result = self.gateway().invoke(function, event).await.unwrap();
        let headers = result["headers"].as_object().unwrap().iter();
        let headers = headers.map(|(name, value)| {
            let value = value.as_str().unwrap().parse().unwrap();
            (http::HeaderName::try_from(name).unwrap(), value)
        });
        let text = result["body"].as_str().unwrap_or_default();
        Answer {
            status: StatusCode::from_u16(
                result["statusCode"].as_u64().unwrap().try_into().unwrap(),
            )
            .unwrap(),
            headers: headers.collect(),
            body: serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        }
    }

    /// Returns the number of mails to each recipient.
    pub(crate) fn mails(&self) -> BTreeMap<String, usize> {
        let mut mails = BTreeMap::new();
        for mail in self.mail().messages(None) {
            for to in mail.to {
                *mails.entry(to).or_default() += 1;
            }
        }
        mails
    }

    /// Returns a direct connection to this cloud's redis-server.
    pub(crate) async fn redis_connection(&self) -> redis::aio::MultiplexedConnection {
        let url = format!("redis://{}", self.redis_server_addr());
        let client = redis::Client::open(url).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// Returns a client of the functions' own kind for this cloud's Redis.
    pub(crate) fn redis_client(&self) -> shared::protocol::upstash::Redis {
        let url = url::Url::parse(self.variable("UPSTASH_REDIS_REST_URL")).unwrap();
        let token = self.variable("UPSTASH_REDIS_REST_TOKEN").to_owned();
        shared::protocol::upstash::Redis::new(&url, &shared::base::secret::Secret::new(token))
            .unwrap()
    }
}

impl Deref for TestCloud {
    type Target = Cloud;

    fn deref(&self) -> &Cloud {
        &self.cloud
    }
}

impl Answer {
    /// Asserts that this is a problem response with this status and code.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str, why: &str) {
        assert_eq!(self.status, status, "{why}: {:#}", self.body);
        assert_eq!(
            self.headers["content-type"], "application/problem+json",
            "{why}"
        );
        assert_eq!(self.body["code"], code, "{why}: {:#}", self.body);
        assert_eq!(self.body["status"], status, "{why}");
        let id = self.body["requestId"].as_str().unwrap_or_default();
        assert!(id.len() > 1, "{why}: no request id in {:#}", self.body);
    }

    /// Asserts that this is a 422 that names the invalid field.
    #[track_caller]
    pub(crate) fn assert_invalid(&self, pointer: &str, why: &str) {
        self.assert_problem(422, "invalid_input", why);
        assert_eq!(
            self.body["errors"][0]["pointer"], pointer,
            "{why}: {:#}",
            self.body
        );
    }
}

/// Returns a request with a JSON body.
pub(crate) fn with_json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request
        .header("content-type", "application/json")
        .body(body.to_string())
}

/// Sends a request and reads the answer; a body that is not JSON is returned as a string.
pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    Answer {
        status,
        headers,
        body,
    }
}

/// Applies behaviour of the real platforms that a normal run omits; `make test-strict` sets all of these:
///
/// - `CLOUD_PLAN`: the QStash account's plan;
/// - `CLOUD_QSTASH_DISORDER`: the seed by which QStash delivers some messages twice and some out of order;
/// - `REPLICA_LAG_MS`: the lag of plain reads of Redis, in milliseconds;
/// - `CLOUD_SCRIPT_TIME_MS`: the run time of all scripts in a minute, in milliseconds.
fn make_strict(settings: &mut Settings) {
    settings.plan = env::parsed_or("CLOUD_PLAN", settings.plan).unwrap();
    let seed = env::optional("CLOUD_QSTASH_DISORDER");
    settings.qstash_disorder = seed.map(|seed| Disorder::seeded(seed.parse().unwrap()));
    settings.replica_lag = milliseconds("REPLICA_LAG_MS");
    settings.redis_limits.script_time_per_minute = milliseconds("CLOUD_SCRIPT_TIME_MS");
}

/// Returns the time of a variable, unless it is 0 or absent.
fn milliseconds(name: &'static str) -> Option<Duration> {
    let number = env::parsed_or(name, 0).unwrap();
    (number > 0).then(|| Duration::from_millis(number))
}

/// Returns a new migrated database.
pub(crate) async fn fresh_database() -> postgres::Database {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    tokio::task::spawn_blocking(move || {
        let (runtime, cluster) = shared_cluster();
        runtime.block_on(cluster.database(&name)).unwrap()
    })
    .await
    .unwrap()
}

/// Returns the cluster of all tests, on its own runtime that outlives theirs. It ends with the process, which its guard
/// watches.
fn shared_cluster() -> &'static (Runtime, Cluster) {
    static CLUSTER: OnceLock<(Runtime, Cluster)> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        // Thousands of files; no test waits for them.
        std::thread::spawn(remove_leftovers);
        let folder = std::env::temp_dir().join(format!("{FOLDER}{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let cluster = runtime
            .block_on(Cluster::start(postgres::Settings {
                log: folder.join("postgres.log"),
                folder: folder.join("postgres"),
                port: 0,
                durable: false,
                passwords: Passwords::new("admin", "owner", "functions"),
            }))
            .unwrap();
        (runtime, cluster)
    })
}

/// The prefix of the folder of a run's cluster, before the process id.
const FOLDER: &str = "signtusk-suite-";

/// Deletes the folders of ended runs: a cluster ends with its process, which cannot delete the folder then.
fn remove_leftovers() {
    for entry in std::fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(FOLDER));
        if process.is_some_and(|id| !std::path::Path::new("/proc").join(id).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
