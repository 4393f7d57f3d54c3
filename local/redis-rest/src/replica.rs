//! A lagging replica: a second redis-server that follows the first over a delayed connection. Upstash serves plain
//! reads from any replica, so a recent write may be missing.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use crate::command::Command;
use crate::redis::{Pool, Reply};
use crate::step::Step;

/// The interval and number of checks whether a replica follows.
const PAUSE: Duration = Duration::from_millis(20);
const ASKED: usize = 1500;

/// The settings of a lagging replica.
#[derive(Debug, Clone, Copy)]
pub struct Lag {
    /// A separate redis-server, which becomes the replica.
    pub replica: SocketAddr,
    /// Its lag.
    pub delay: Duration,
}

/// The replica. It follows while this value lives.
pub(crate) struct Replica {
    redis: Pool,
    pipe: JoinHandle<()>,
}

impl Replica {
    /// Makes a redis-server follow another one with a lag, and waits until it does.
    pub(crate) async fn follow(primary: SocketAddr, lag: Lag) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let pipe = tokio::spawn(relay(listener, primary, lag.delay));
        let redis = Pool::new(lag.replica);
        let replica = Self { redis, pipe };
        let at_once = ["SET", "repl-diskless-sync-delay", "0"];
        Pool::new(primary)
            .exchange(&[command("CONFIG", &at_once)])
            .await?;
        let port = address.port().to_string();
        let follow = command("REPLICAOF", &["127.0.0.1", &port]);
        replica.redis.exchange(&[follow]).await?;
        for _ in 0..ASKED {
            let info = replica
                .redis
                .exchange(&[command("INFO", &["replication"])])
                .await?;
            if matches!(info.first(), Some(Reply::Bulk(text)) if is_up(text)) {
                return Ok(replica);
            }
            sleep(PAUSE).await;
        }
        Err(io::Error::other("the replica does not follow"))
    }

    /// Returns the replies to the steps that may be stale.
    pub(crate) async fn read(&self, steps: &[Step]) -> io::Result<Vec<Reply>> {
        let commands: Vec<Command> = steps.iter().filter_map(Step::stale).cloned().collect();
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        self.redis.exchange(&commands).await
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.pipe.abort();
    }
}

fn is_up(info: &[u8]) -> bool {
    String::from_utf8_lossy(info).contains("master_link_status:up")
}

fn command(name: &'static str, words: &[&str]) -> Command {
    Command::new(
        name,
        words
            .iter()
            .map(|word| Bytes::copy_from_slice(word.as_bytes()))
            .collect(),
    )
}

/// Connects each client with the primary.
async fn relay(listener: TcpListener, primary: SocketAddr, delay: Duration) {
    while let Ok((replica, _)) = listener.accept().await {
        tokio::spawn(async move {
            if let Err(error) = connect(replica, primary, delay).await {
                tracing::debug!(%error, "replica connection ended");
            }
        });
    }
}

/// Forwards the primary's data with a delay, and the replica's data at once.
async fn connect(replica: TcpStream, primary: SocketAddr, delay: Duration) -> io::Result<()> {
    let primary = TcpStream::connect(primary).await?;
    let (mut from_replica, mut to_replica) = replica.into_split();
    let (mut from_primary, mut to_primary) = primary.into_split();
    let (sender, mut receiver) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let read = async {
        loop {
            let mut chunk = vec![0; 64 * 1024];
            let length = from_primary.read(&mut chunk).await?;
            chunk.truncate(length);
            if length == 0 || sender.send((Instant::now() + delay, chunk)).is_err() {
                return Ok::<(), io::Error>(());
            }
        }
    };
    let write = async {
        while let Some((due, chunk)) = receiver.recv().await {
            sleep_until(due).await;
            to_replica.write_all(&chunk).await?;
        }
        Ok::<(), io::Error>(())
    };
    let back = async {
        tokio::io::copy(&mut from_replica, &mut to_primary).await?;
        Ok::<(), io::Error>(())
    };
    tokio::select! {
        end = read => end,
        end = write => end,
        end = back => end,
    }
}
