//! A local cloud for one test: its own Redis, QStash, mailbox and function instances, and a fresh database in a
//! cluster that all tests share.

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

/// How long anything that must happen may take. Generous: a test says that it happens, not how fast.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// Routes whose answers are figures for people, read plainly at Redis.
const READ_PLAINLY: [&str; 4] = [
    "/api/queue/stats",
    "/api/queue/schedules",
    "/api/cache/stats",
    "/api/health/redis",
];

/// A cloud and a client that holds its service token.
pub(crate) struct TestCloud {
    cloud: Cloud,
    http: reqwest::Client,
    /// How far plain reads of Redis are behind.
    lag: Duration,
    _folder: TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

impl TestCloud {
    /// A cloud as it stands in production, with QStash's clock sixty times as fast.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A cloud whose settings were changed.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::throwaway(folder.path());
        settings.database = Database::Made(fresh_database().await);
        settings.qstash_speed = 60.0;
        make_strict(&mut settings);
        // No test is to meet a limit that it is not about.
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

    /// The variable that points at a part.
    pub(crate) fn variable(&self, name: &str) -> &str {
        &self.environment()[name]
    }

    /// The URL of a route.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.functions_url())
    }

    /// A request with the service token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path)
            .bearer_auth(self.variable("API_TOKEN"))
    }

    /// A request without any token.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// GET with the service token. Figures for people are read plainly and may be as old as the replica is behind: what
    /// happened before the call is waited for.
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

    /// POST of a JSON body with the service token.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        answer(with_json(self.request(Method::POST, path), body)).await
    }

    /// Enqueues an e-mail and gives the job's id.
    pub(crate) async fn enqueue(&self, payload: &Value) -> String {
        let taken = self.post("/api/queue/emails", payload).await;
        assert_eq!(taken.status, 202, "{taken:?}");
        taken.body["jobId"].as_str().unwrap().to_owned()
    }

    /// The job as the API shows it.
    pub(crate) async fn job(&self, id: &str) -> Value {
        self.get(&format!("/api/queue/jobs/{id}")).await.body
    }

    /// Waits until the job has a status, and gives the job.
    pub(crate) async fn wait_for(&self, id: &str, status: &str) -> Value {
        self.wait_longer_for(id, status, TIMEOUT).await
    }

    /// The same where the product itself waits for long.
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

    /// The same, under a message id. A sweep looks plainly for what is left over, and leaves what a replica does not show
    /// yet to the next one: what happened before the call is waited for.
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

    /// Signs with QStash's current key.
    pub(crate) fn signer(&self) -> Signer {
        Signer::new(self.variable("QSTASH_CURRENT_SIGNING_KEY"))
    }

    /// Everything that the parts and the functions have logged so far.
    pub(crate) fn logs(&self) -> String {
        let files = std::fs::read_dir(self.data().join("log")).unwrap();
        files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .collect()
    }

    /// Everything that the queue has noted and that fits a query, over all pages.
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

    /// Calls a function with an event as it is, without the gateway's limits.
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

    /// How many mails each recipient got.
    pub(crate) fn mails(&self) -> BTreeMap<String, usize> {
        let mut mails = BTreeMap::new();
        for mail in self.mail().messages(None) {
            for to in mail.to {
                *mails.entry(to).or_default() += 1;
            }
        }
        mails
    }

    /// A connection to this cloud's redis-server, past the front.
    pub(crate) async fn redis_connection(&self) -> redis::aio::MultiplexedConnection {
        let url = format!("redis://{}", self.redis_server_addr());
        let client = redis::Client::open(url).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// A client of the functions' own kind, on this cloud's Redis.
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
    /// Asserts that this is a problem of ours, with this status and code.
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

    /// Asserts that this is a 422 that names the bad field.
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

/// A request with a JSON body.
pub(crate) fn with_json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request
        .header("content-type", "application/json")
        .body(body.to_string())
}

/// Sends a request and reads the answer; a body that is no JSON is given as a string.
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

/// What the real platforms may do or refuse and a usual run does without; `make test-strict` sets all of these:
///
/// - `CLOUD_PLAN`: the QStash account's plan;
/// - `CLOUD_QSTASH_DISORDER`: the seed by which QStash delivers some messages twice and some out of order;
/// - `REPLICA_LAG_MS`: how far plain reads of Redis are behind, in milliseconds;
/// - `CLOUD_SCRIPT_TIME_MS`: how long all scripts of a minute may run together, in milliseconds.
fn make_strict(settings: &mut Settings) {
    settings.plan = env::parsed_or("CLOUD_PLAN", settings.plan).unwrap();
    let seed = env::optional("CLOUD_QSTASH_DISORDER");
    settings.qstash_disorder = seed.map(|seed| Disorder::seeded(seed.parse().unwrap()));
    settings.replica_lag = milliseconds("REPLICA_LAG_MS");
    settings.redis_limits.script_time_per_minute = milliseconds("CLOUD_SCRIPT_TIME_MS");
}

/// The time of a variable, unless it is 0 or absent.
fn milliseconds(name: &'static str) -> Option<Duration> {
    let number = env::parsed_or(name, 0).unwrap();
    (number > 0).then(|| Duration::from_millis(number))
}

/// A migrated database that nobody else uses.
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

/// The cluster of all tests, on a runtime of its own that outlives theirs. It ends with the process: its leash is
/// held by it.
fn shared_cluster() -> &'static (Runtime, Cluster) {
    static CLUSTER: OnceLock<(Runtime, Cluster)> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        // Thousands of files; nothing waits for them.
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

/// The folder of a run's cluster, before the id of its process.
const FOLDER: &str = "signtusk-suite-";

/// Removes the folders of runs that are over: a cluster ends with its process, which then removes nothing any more.
fn remove_leftovers() {
    for entry in std::fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(FOLDER));
        if process.is_some_and(|id| !std::path::Path::new("/proc").join(id).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
