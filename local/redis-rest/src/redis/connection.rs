//! One connection to Redis: sends commands and reads replies, in order.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::command::Command;
use crate::redis::reply::Reply;
use crate::script_users::ScriptUsers;

/// The timeout of a connection: a redis-server on this machine answers at once or is not running.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// The maximum depth of a reply. Scripts can nest tables; deeper ones are rejected, because writing a reply recurses.
const DEEPEST: usize = 256;

/// An array that is still being filled.
struct Open {
    missing: usize,
    items: Vec<Reply>,
}

/// A connection that one request uses at a time.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    /// The users that scripts run as on this connection, if created.
    pub(crate) script_users: Option<ScriptUsers>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = timeout(CONNECT_WITHIN, TcpStream::connect(address)).await??;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(stream),
            script_users: None,
        })
    }

    /// Returns this end's address, as in Redis's list of clients.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.stream.get_ref().local_addr()
    }

    /// Returns whether the connection is open and has no pending replies.
    pub(crate) fn is_usable(&self) -> bool {
        let nothing_left = self.stream.buffer().is_empty();
        let end = self.stream.get_ref().try_read(&mut [0]);
        nothing_left && matches!(end, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Sends the commands in one write and reads a reply for each.
    pub(crate) async fn exchange(&mut self, commands: &[Command]) -> io::Result<Vec<Reply>> {
        self.send(commands).await?;
        let mut replies = Vec::with_capacity(commands.len());
        for _ in commands {
            replies.push(self.receive().await?);
        }
        Ok(replies)
    }

    pub(crate) async fn send(&mut self, commands: &[Command]) -> io::Result<()> {
        let mut out = Vec::new();
        for command in commands {
            command.write(&mut out);
        }
        self.stream.write_all(&out).await
    }

    /// Returns the next reply. Arrays are on an explicit stack instead of the call stack.
    pub(crate) async fn receive(&mut self) -> io::Result<Reply> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            let mut reply = match self.item().await? {
                Item::Whole(reply) => reply,
                Item::ArrayOf(_) if open.len() == DEEPEST => {
                    return Err(malformed("a reply is nested too deep"));
                }
                Item::ArrayOf(missing) => {
                    open.push(Open {
                        missing,
                        items: Vec::with_capacity(missing.min(1024)),
                    });
                    continue;
                }
            };
            loop {
                let Some(mut array) = open.pop() else {
                    return Ok(reply);
                };
                array.items.push(reply);
                array.missing -= 1;
                if array.missing > 0 {
                    open.push(array);
                    break;
                }
                reply = Reply::Array(array.items);
            }
        }
    }

    async fn item(&mut self) -> io::Result<Item> {
        let line = self.line().await?;
        let (kind, rest) = line
            .split_first()
            .ok_or_else(|| malformed("a reply has no type"))?;
        Ok(Item::Whole(match kind {
            b'+' => Reply::Status(line.slice(1..)),
            b'-' => Reply::Error(line.slice(1..)),
            b':' => Reply::Integer(number(rest)?),
            b'$' => match usize::try_from(number(rest)?) {
                Ok(length) => Reply::Bulk(self.bulk(length).await?),
                Err(_) => Reply::NullBulk,
            },
            b'*' => match usize::try_from(number(rest)?) {
                Ok(0) => Reply::Array(Vec::new()),
                Ok(length) => return Ok(Item::ArrayOf(length)),
                Err(_) => Reply::NullArray,
            },
            _ => return Err(malformed("a reply's type is unknown")),
        }))
    }

    async fn line(&mut self) -> io::Result<Bytes> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).await?;
        if !line.ends_with(b"\r\n") {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.truncate(line.len() - 2);
        Ok(line.into())
    }

    async fn bulk(&mut self, length: usize) -> io::Result<Bytes> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).await?;
        self.stream.read_exact(&mut [0; 2]).await?;
        Ok(bytes.into())
    }
}

enum Item {
    Whole(Reply),
    ArrayOf(usize),
}

fn number(digits: &[u8]) -> io::Result<i64> {
    let digits = std::str::from_utf8(digits).ok();
    digits
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| malformed("a reply's number is none"))
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
