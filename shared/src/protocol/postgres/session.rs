//! One open connection and the task that drives it.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use tokio_postgres::Client;

/// The idle time after which a connection is checked before use. Lambda freezes an instance between invocations, and a
/// pooler or router may have dropped the connection silently.
const TRUSTED_IDLE: Duration = Duration::from_secs(10);

/// The time limit of the check; opening a new connection takes less than a longer wait.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// An open connection. Dropping it stops the task that drives it.
pub(super) struct Session {
    client: Client,
    driver: AbortHandle,
    last_used: Mutex<Instant>,
}

impl Session {
    pub(super) fn new(client: Client, driver: AbortHandle) -> Self {
        let last_used = Mutex::new(Instant::now());
        Self {
            client,
            driver,
            last_used,
        }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Records that the connection has just answered.
    pub(super) fn touch(&self) {
        *self
            .last_used
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Returns whether the connection is still open, so that a statement is not lost on a closed one.
    pub(super) async fn is_alive(&self) -> bool {
        // The driver notices a close only when it is polled: first to be woken, then to read.
        for _ in 0..2 {
            tokio::task::yield_now().await;
        }
        if self.client.is_closed() {
            return false;
        }
        let idle = self
            .last_used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .elapsed();
        idle < TRUSTED_IDLE
            || matches!(
                timeout(CHECK_TIMEOUT, self.client.check_connection()).await,
                Ok(Ok(()))
            )
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
