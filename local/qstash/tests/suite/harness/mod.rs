//! A server on a free port, a receiver that answers as the test says, and a client.

mod cloud;
mod receiver;

use std::time::Duration;

pub(crate) use cloud::{Cloud, Reply};
pub(crate) use receiver::{Answer, Received, Receiver};

/// Waits until `condition` holds; gives up after a time that no healthy run comes near.
pub(crate) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..1_200 {
        if condition().await {
            return;
        }
        // Seldom enough for the account's limit on calls a second.
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it never came true: {what}");
}

/// Long enough for what must not happen to happen.
pub(crate) async fn a_while() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}
