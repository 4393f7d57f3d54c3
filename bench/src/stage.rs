//! The environment of a measurement: a local cloud with release binaries, and the smallest function behind its own
//! gateway.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Method;
use local::cloud::{Cloud, Settings};
use local_gateway::Gateway;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use shared::base::secret::Secret;
use shared::protocol::postgres::Postgres;
use shared::protocol::qstash;
use shared::protocol::upstash::Redis;
use shared::service::job::Publisher;
use shared::service::session::Sessions;
use tempfile::TempDir;
use url::Url;

use crate::error::Error;
use crate::turns::timed;

/// The timeout of a request, after which the measurement fails.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The running environment.
pub(crate) struct Stage {
    pub(crate) cloud: Cloud,
    pub(crate) hello: Gateway,
    pub(crate) bin_dir: PathBuf,
    http: Client,
    _folder: TempDir,
}

impl Stage {
    /// Starts it with the binaries of `bin_dir`. QStash's clock is real, and the database has the sample data.
    pub(crate) async fn set(bin_dir: PathBuf) -> Result<Self, Error> {
        let folder = tempfile::tempdir().map_err(Error::system("no folder for the data"))?;
        let settings = Settings {
            bin_dir: bin_dir.clone(),
            qstash_speed: 1.0,
            seed: true,
            ..Settings::throwaway(folder.path())
        };
        let hello = local_gateway::start(local_gateway::Settings {
            listen: ([127, 0, 0, 1], 0).into(),
            template: Path::new(env!("CARGO_MANIFEST_DIR")).join("hello.yaml"),
            bin_dir: bin_dir.join("examples"),
            environment: BTreeMap::new(),
            parameters: BTreeMap::new(),
            max_instances: 1,
            log: None,
        });
        Ok(Self {
            cloud: Cloud::start(settings).await?,
            hello: hello.await?,
            bin_dir,
            http: shared::protocol::http::client(TIMEOUT)?,
            _folder: folder,
        })
    }

    /// Stops it in order.
    pub(crate) async fn clear(self) {
        self.hello.stop().await;
        self.cloud.stop().await;
    }

    /// Returns a variable of the cloud.
    pub(crate) fn variable(&self, name: &str) -> &str {
        self.cloud
            .environment()
            .get(name)
            .map_or("", String::as_str)
    }

    /// Returns a request to a function, with the service token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.cloud.functions_url());
        self.http
            .request(method, url)
            .bearer_auth(self.variable("API_TOKEN"))
    }

    /// Returns a GET of a function.
    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// Calls a function by GET. Returns the caller's time, and the function's own time from the event to the answer.
    pub(crate) async fn read(&self, function: &str, path: &str) -> Result<[Duration; 2], Error> {
        let waited = timed(complete(self.get(path))).await?;
        let took = self.cloud.gateway().last_duration(function);
        let took = took.ok_or_else(|| Error::Unexpected(format!("{function} was not called")))?;
        Ok([waited, took])
    }

    /// Returns a call of the smallest function.
    pub(crate) fn call_hello(&self) -> RequestBuilder {
        self.http.get(format!("{}/hello", self.hello.url()))
    }

    /// Returns a request that enqueues one mail.
    pub(crate) fn enqueueing(&self) -> RequestBuilder {
        with_json(self.request(Method::POST, "/api/queue/emails"), &mail())
    }

    /// Enqueues one mail, and returns the job's id.
    pub(crate) async fn enqueue(&self) -> Result<String, Error> {
        let taken = succeed(self.enqueueing()).await?;
        let taken: Value = serde_json::from_slice(&taken.bytes().await?).unwrap_or_default();
        let id = taken["jobId"].as_str().map(ToOwned::to_owned);
        id.ok_or_else(|| Error::Unexpected(format!("an enqueue answered {taken}")))
    }

    /// Returns a client of the same kind as the functions'.
    pub(crate) fn redis(&self) -> Result<Redis, Error> {
        let url = self.cloud.redis().url();
        let url = Url::parse(&url).map_err(|error| Error::Unexpected(error.to_string()))?;
        let token = Secret::new(self.variable("UPSTASH_REDIS_REST_TOKEN").to_owned());
        Ok(Redis::new(&url, &token)?)
    }

    /// Returns the functions' database, over a new connection.
    pub(crate) fn postgres(&self) -> Result<Postgres, Error> {
        database(self.cloud.database_url())
    }

    /// Returns the session service on these stores, without a function.
    pub(crate) fn sessions(&self) -> Result<Sessions, Error> {
        let unexpected = |error: String| Error::Unexpected(error);
        let url = Url::parse(self.cloud.functions_url());
        let url = url.map_err(|error| unexpected(error.to_string()))?;
        let token = Secret::new(self.variable("QSTASH_TOKEN").to_owned());
        let qstash = qstash::Client::new(self.variable("QSTASH_URL"), &token, TIMEOUT)
            .map_err(|error| unexpected(error.to_string()))?;
        let publisher = Publisher::new(qstash, url);
        Ok(Sessions::new(self.redis()?, self.postgres()?, publisher))
    }

    /// Returns the database as its owner.
    pub(crate) fn owner(&self) -> Result<Postgres, Error> {
        database(self.cloud.migrations_database_url())
    }

    /// Returns a request that publishes an empty message to the function of a job.
    pub(crate) fn publishing(&self, job: &str) -> RequestBuilder {
        let qstash = self.variable("QSTASH_URL");
        let url = format!(
            "{qstash}/v2/publish/{}/api/jobs/{job}",
            self.cloud.functions_url()
        );
        let request = self.http.post(url);
        with_json(
            request.bearer_auth(self.variable("QSTASH_TOKEN")),
            &json!({}),
        )
    }
}

fn database(url: &str) -> Result<Postgres, Error> {
    Postgres::at(url, None).map_err(|error| Error::Unexpected(error.to_string()))
}

/// Returns a request with a JSON body.
pub(crate) fn with_json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request
        .header("content-type", "application/json")
        .body(body.to_string())
}

/// Sends a request. Errors unless the response is a 2xx.
pub(crate) async fn succeed(request: RequestBuilder) -> Result<Response, Error> {
    let response = request.send().await?;
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status();
    let body = response.text().await.unwrap_or_default();
    Err(Error::Unexpected(format!("{status}: {body}")))
}

/// Sends a request and reads the whole response. Errors unless it is a 2xx.
pub(crate) async fn complete(request: RequestBuilder) -> Result<(), Error> {
    succeed(request).await?.bytes().await?;
    Ok(())
}

/// Returns a mail as the web app enqueues it.
pub(crate) fn mail() -> Value {
    json!({
        "type": "signature-request",
        "to": "ann@example.com",
        "signerName": "Ann Signer",
        "documentTitle": "Lease of a flat",
        "senderName": "Bob Owner",
        "signatureUrl": "https://app.example.com/sign/1",
    })
}
