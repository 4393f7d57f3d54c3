//! The real `redis-server`.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::port::{free, loopback};
use crate::process::{self, Process, Program, on_path};

/// The longest load of its append-only file before it answers.
const START_LIMIT: Duration = Duration::from_secs(30);

/// The timeout of one probe.
const PROBE_LIMIT: Duration = Duration::from_secs(1);

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program is not installed.
    #[error("redis-server is not installed; install the package redis-server")]
    Missing,
    /// The folder cannot be used, or no port is free.
    #[error("cannot prepare redis-server in {}", folder.display())]
    Prepare {
        /// The folder.
        folder: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The program did not start.
    #[error(transparent)]
    Process(#[from] process::Error),
}

/// The settings of the server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The port on loopback; 0 takes a free one.
    pub port: u16,
    /// The folder of its data.
    pub folder: PathBuf,
    /// Whether its data remain after it stops, in an append-only file.
    pub durable: bool,
    /// The file that its output is appended to.
    pub log: PathBuf,
}

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct RedisServer {
    process: Process,
    address: SocketAddr,
}

impl RedisServer {
    /// Starts the server and waits until it answers.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        let path = on_path("redis-server").ok_or(Error::Missing)?;
        let prepare = |source| Error::Prepare {
            folder: settings.folder.clone(),
            source,
        };
        std::fs::create_dir_all(&settings.folder).map_err(prepare)?;
        let port = match settings.port {
            0 => free().map_err(prepare)?,
            port => port,
        };
        let append_only = if settings.durable { "yes" } else { "no" };
        let port_text = port.to_string();
        let arguments = [
            ["--bind", "127.0.0.1"],
            ["--port", &port_text],
            ["--save", ""],
            ["--appendonly", append_only],
        ];
        let mut process = Process::start(&Program {
            name: "redis-server",
            path,
            arguments: arguments.iter().flatten().map(Into::into).collect(),
            folder: settings.folder,
            user: None,
            log: settings.log,
            stop_signal: "TERM",
        })
        .await?;
        let address = loopback(port);
        process
            .answers(START_LIMIT, async || answers(address).await)
            .await?;
        Ok(Self { process, address })
    }

    /// Returns its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops the server after it has saved its data.
    pub async fn stop(self) {
        self.process.stop().await;
    }
}

/// Returns whether the server answers a PING with PONG. It does not while it loads its data.
async fn answers(address: SocketAddr) -> bool {
    let ping = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"PING\r\n").await?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).await?;
        io::Result::Ok(answer == *b"+PONG\r\n")
    };
    matches!(tokio::time::timeout(PROBE_LIMIT, ping).await, Ok(Ok(true)))
}
