//! moto (<https://docs.getmoto.org>): an independent implementation of AWS's services, on loopback.
//!
//! The local cloud's SES and object storage and their clients were written from the same pages, so a misunderstanding
//! would be in both. moto is independent of this repository, so a test that passes with both is likelier to match AWS.
//! It answers for any region and any credentials, and keeps everything in memory until it ends.

use std::path::Path;

use local::process::port::{free, loopback};
use local::process::{Process, Program};
use serde_json::Value;
use tempfile::TempDir;

use super::cloud::{TIMEOUT, answer};

/// The path at which `scripts/setup run` installs it.
const PROGRAM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../.local/tests/bin/moto_server"
);

/// A running moto. Dropping it ends it.
pub(crate) struct Moto {
    url: String,
    http: reqwest::Client,
    _process: Process,
    _folder: TempDir,
}

impl Moto {
    /// Starts an empty moto on a free port.
    pub(crate) async fn start() -> Self {
        let program = Path::new(PROGRAM);
        let here = program.exists();
        assert!(
            here,
            "moto is not installed: run `scripts/setup run`, or `make test`, which does"
        );
        let address = loopback(free().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let program = Program {
            name: "moto",
            path: program.canonicalize().unwrap(),
            arguments: vec![
                "-H".into(),
                address.ip().to_string().into(),
                "-p".into(),
                address.port().to_string().into(),
            ],
            folder: folder.path().to_owned(),
            user: None,
            log: folder.path().join("moto.log"),
            stop_signal: "TERM",
        };
        let mut process = Process::start(&program).await.unwrap();
        let listens = async || tokio::net::TcpStream::connect(address).await.is_ok();
        process.answers(TIMEOUT, listens).await.unwrap();
        Self {
            url: format!("http://{address}"),
            http: shared::protocol::http::client(TIMEOUT).unwrap(),
            _process: process,
            _folder: folder,
        }
    }

    /// Returns the endpoint of every service: the value of an `AWS_ENDPOINT_URL_<SERVICE>`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns its objects of one kind, such as `Message` of `ses`, oldest first, from its own API.
    pub(crate) async fn kept(&self, service: &str, kind: &str) -> Vec<Value> {
        let page = answer(self.http.get(format!("{}/moto-api/data.json", self.url))).await;
        assert_eq!(page.status, 200, "{page:?}");
        let kept = page.body[service][kind].as_array();
        kept.unwrap_or_else(|| panic!("moto has no {kind} of {service}"))
            .clone()
    }
}
