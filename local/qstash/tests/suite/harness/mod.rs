//! A server on a free port, a receiver with scripted responses, and a client.

mod cloud;
mod receiver;

use std::time::Duration;

pub(crate) use cloud::{Cloud, Reply};
pub(crate) use receiver::{Answer, Received, Receiver};

/// Waits until `condition` holds; panics after a time that no healthy run reaches.
pub(crate) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..1_200 {
        if condition().await {
            return;
        }
        // The interval respects the account's limit on calls per second.
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("timed out waiting for: {what}");
}

/// Waits long enough for a wrong event to occur.
pub(crate) async fn a_while() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}
