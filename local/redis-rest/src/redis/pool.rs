//! Connections that are lent out one at a time, so that a transaction has one to itself.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::command::Command;
use crate::redis::connection::Connection;
use crate::redis::reply::Reply;

/// Well under redis-server's own 10,000 clients; further requests wait their turn.
const CONNECTIONS: usize = 256;

/// The connections to one redis-server.
pub(crate) struct Pool {
    address: SocketAddr,
    idle: Mutex<Vec<Connection>>,
    turns: Semaphore,
}

impl Pool {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            idle: Mutex::default(),
            turns: Semaphore::new(CONNECTIONS),
        }
    }

    /// Runs the commands on one connection. It is kept only after a whole exchange: a caller that gave up half-way
    /// would leave somebody else's replies on it.
    pub(crate) async fn exchange(&self, commands: &[Command]) -> io::Result<Vec<Reply>> {
        let _turn = self.turns.acquire().await.map_err(io::Error::other)?;
        let mut connection = match self.idle_connection() {
            Some(connection) => connection,
            None => Connection::open(self.address).await?,
        };
        let replies = connection.exchange(commands).await?;
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
        Ok(replies)
    }

    /// A connection outside the pool, for a stream that keeps it.
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
