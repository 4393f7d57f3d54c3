//! Ports on loopback.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use uuid::Uuid;

/// The first of the tried ports. They are below the range of outgoing connections, so that no such connection can take
/// a port between its choice and its use.
const FIRST: u16 = 10_000;
const COUNT: u16 = 22_000;

/// The number of tried ports.
const ATTEMPTS: usize = 200;

/// Returns `127.0.0.1` with this port.
#[must_use]
pub fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Returns a free port, for a program that needs a given port.
pub fn free() -> io::Result<u16> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..ATTEMPTS {
        let [high, low, ..] = *Uuid::new_v4().as_bytes();
        let port = FIRST + u16::from_be_bytes([high, low]) % COUNT;
        match TcpListener::bind(loopback(port)) {
            Ok(_) => return Ok(port),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Returns whether a program listens on this port.
#[must_use]
pub fn is_taken(port: u16) -> bool {
    port != 0 && TcpListener::bind(loopback(port)).is_err()
}
