//! A pool of connections, each used by one request at a time, so that a transaction has its own.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::command::Command;
use crate::redis::connection::Connection;
use crate::redis::reply::Reply;

/// The size of the pool, well under redis-server's own 10,000 clients; further requests wait.
const CONNECTIONS: usize = 256;

/// The connections to one redis-server.
pub(crate) struct Pool {
    address: SocketAddr,
    idle: Mutex<Vec<Connection>>,
    turns: Semaphore,
}

/// A connection in use by one request.
pub(crate) struct Lent<'a> {
    pub(crate) connection: Connection,
    _turn: SemaphorePermit<'a>,
}

impl Pool {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            idle: Mutex::default(),
            turns: Semaphore::new(CONNECTIONS),
        }
    }

    /// Runs the commands on one connection.
    pub(crate) async fn exchange(&self, commands: &[Command]) -> io::Result<Vec<Reply>> {
        let mut lent = self.lend().await?;
        let replies = lent.connection.exchange(commands).await?;
        self.keep(lent);
        Ok(replies)
    }

    /// Returns a connection for one or more exchanges.
    pub(crate) async fn lend(&self) -> io::Result<Lent<'_>> {
        let turn = self.turns.acquire().await.map_err(io::Error::other)?;
        let connection = match self.idle_connection() {
            Some(connection) => connection,
            None => Connection::open(self.address).await?,
        };
        Ok(Lent {
            connection,
            _turn: turn,
        })
    }

    /// Returns a connection to the pool, after complete exchanges only. After an interrupted exchange, foreign replies
    /// would be left on it.
    pub(crate) fn keep(&self, lent: Lent<'_>) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(lent.connection);
    }

    /// Returns a connection outside the pool, for a stream.
    pub(crate) async fn dedicated(&self) -> io::Result<Connection> {
        Connection::open(self.address).await
    }

    fn idle_connection(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(connection) = idle.pop() {
            if connection.is_usable() {
                return Some(connection);
            }
        }
        None
    }
}
