//! A server with its own folder, and a client for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{HeaderMap, Method, StatusCode};
use local_qstash::{Server, Settings};
use serde_json::Value;
use tempfile::TempDir;

/// A server and a client for it.
pub(crate) struct Cloud {
    pub(crate) server: Server,
    client: reqwest::Client,
    folder: TempDir,
    change: Change,
}

/// A test's change of the official settings.
type Change = Box<dyn Fn(&mut Settings) + Send + Sync>;

/// An API response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

impl Reply {
    /// Returns a required numeric header.
    pub(crate) fn number(&self, name: &str) -> u64 {
        let value = self.headers.get(name).and_then(|it| it.to_str().ok());
        value
            .and_then(|value| value.parse().ok())
            .unwrap_or_else(|| panic!("{name} is missing in {:?}", self.headers))
    }

    /// Asserts the rejection's status, and an error that names the cause.
    #[track_caller]
    pub(crate) fn assert_refused(&self, status: StatusCode, word: &str) {
        assert_eq!(self.status, status, "{}", self.json);
        let error = self.json["error"].as_str().unwrap_or_default();
        assert!(error.contains(word), "`{word}` is not in `{error}`");
    }

    /// Returns a required text member.
    pub(crate) fn text(&self, name: &str) -> String {
        self.json[name]
            .as_str()
            .unwrap_or_else(|| panic!("{name} is missing in {}", self.json))
            .to_owned()
    }
}

impl Cloud {
    pub(crate) async fn start(speed: f64) -> Self {
        Self::start_with(move |settings| settings.speed = speed).await
    }

    /// Starts a server with changed settings.
    pub(crate) async fn start_with(change: impl Fn(&mut Settings) + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let change: Change = Box::new(change);
        let server = serve(&folder, &change).await;
        Self {
            server,
            client: client(),
            folder,
            change,
        }
    }

    /// Stops the server, gently or at once, and starts another on the same folder.
    pub(crate) async fn restart(self, gently: bool, speed: f64) -> Self {
        let Self {
            server,
            client,
            folder,
            change,
        } = self;
        if gently {
            server.stop().await;
        } else {
            drop(server);
        }
        let server = serve(&folder, &change).await;
        server.set_speed(speed);
        Self {
            server,
            client,
            folder,
            change,
        }
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Reply {
        let request = self
            .client
            .request(method, format!("{}{path}", self.server.url()));
        let request = request
            .bearer_auth(&official(&self.folder).token)
            .body(body.into());
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        reply(request).await
    }

    /// Sends a call without a token.
    pub(crate) async fn bare(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
        let request = self
            .client
            .request(method, format!("{}{path}", self.server.url()));
        reply(headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        }))
        .await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path, &[], "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Reply {
        self.call(Method::POST, path, &[], body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.call(Method::DELETE, path, &[], "").await
    }

    /// Publishes, and returns the message's id.
    pub(crate) async fn publish(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> String {
        let reply = self
            .call(Method::POST, &format!("/v2/publish/{url}"), headers, body)
            .await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.json);
        reply.text("messageId")
    }

    /// Returns the log of a message, oldest entry first.
    pub(crate) async fn states(&self, id: &str) -> Vec<String> {
        let reply = self
            .get(&format!("/v2/logs?messageId={id}&order=earliestFirst"))
            .await;
        let logs = reply.json["logs"].as_array().expect("logs");
        logs.iter()
            .map(|log| log["state"].as_str().expect("a state").to_owned())
            .collect()
    }

    /// Returns the dead letters that match a query.
    pub(crate) async fn dead(&self, query: &str) -> Vec<Value> {
        let reply = self.get(&format!("/v2/dlq?{query}")).await;
        reply.json["messages"]
            .as_array()
            .unwrap_or_else(|| panic!("no messages in {}", reply.json))
            .clone()
    }
}

/// Returns the official settings and a list of hosts: no test uses a name server.
fn official(folder: &TempDir) -> Settings {
    let listen = "127.0.0.1:0".parse().expect("an address");
    let mut settings = Settings::official(listen, folder.path().to_owned());
    let closed = "127.0.0.1:9".parse().expect("an address");
    settings.hosts.known = BTreeMap::from([("example.com".to_owned(), closed)]);
    settings
}

async fn serve(folder: &TempDir, change: &Change) -> Server {
    let mut settings = official(folder);
    change(&mut settings);
    local_qstash::start(settings)
        .await
        .expect("the server starts")
}

async fn reply(request: reqwest::RequestBuilder) -> Reply {
    let response = request.send().await.expect("an answer");
    let status = response.status();
    let headers = response.headers().clone();
    let bytes = response.bytes().await.expect("a body");
    Reply {
        status,
        headers,
        json: serde_json::from_slice(&bytes).unwrap_or_default(),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests' own client, which only ever calls loopback"
)]
fn client() -> reqwest::Client {
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .expect("ring knows them")
    .with_root_certificates(rustls::RootCertStore::empty())
    .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .build()
        .expect("a client")
}
