//! A redis-server for one test, and a front for it. Both end with the test.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use local_redis_rest::{Front, Settings, start};
use tempfile::TempDir;

use crate::client::Client;

pub(crate) const TOKEN: &str = "standard-token";
pub(crate) const READ_ONLY_TOKEN: &str = "read-only-token";

/// A redis-server on a free port.
pub(crate) struct Redis {
    process: Child,
    pub(crate) address: SocketAddr,
    _folder: TempDir,
}

impl Redis {
    /// Starts on a free port. If another process takes the port first, redis-server ends, and another port is tried.
    pub(crate) fn start() -> Self {
        loop {
            let address = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap();
            if let Some(redis) = Self::start_on(address) {
                return redis;
            }
        }
    }

    /// Starts at this address, and waits until the server accepts connections.
    pub(crate) fn start_on(address: SocketAddr) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new("redis-server")
            .args([
                "--port",
                &address.port().to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
            ])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(process.stdout.take().unwrap());
        let redis = Self {
            process,
            address,
            _folder: folder,
        };
        log.lines()
            .map_while(Result::ok)
            .any(|line| line.contains("Ready to accept connections"))
            .then_some(redis)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A front and its redis-server.
pub(crate) struct Server {
    pub(crate) front: Front,
    pub(crate) redis: Redis,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let redis = Redis::start();
        let front = start(settings(redis.address)).await.unwrap();
        Self { front, redis }
    }

    /// Returns a client with the standard token.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.front.url(), TOKEN)
    }
}

pub(crate) fn settings(redis: SocketAddr) -> Settings {
    let listen = "127.0.0.1:0".parse().unwrap();
    Settings {
        read_only_token: READ_ONLY_TOKEN.into(),
        ..Settings::new(listen, redis, TOKEN.into())
    }
}
