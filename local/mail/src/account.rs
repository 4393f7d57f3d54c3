//! The account that sends, at both providers: who may, what is to fail, what was kept.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::events::Events;
use crate::fault::Switches;
use crate::mail::Mail;
use crate::rate::Rates;
use crate::store::Store;

/// What both endpoints work with.
#[derive(Debug)]
pub(crate) struct Account {
    /// Addresses and domains that may send.
    pub(crate) verified: Vec<String>,
    /// The configuration set that SES knows.
    pub(crate) configuration_set: String,
    /// The API key that Resend knows.
    pub(crate) resend_key: String,
    /// How much each takes in a second.
    pub(crate) rates: Rates,
    /// The switched-on failures.
    pub(crate) faults: Switches,
    /// Where mails go.
    pub(crate) store: Arc<Store>,
    /// What becomes of them.
    pub(crate) events: Events,
    /// How many requests there were that would send.
    pub(crate) requests: AtomicU64,
}

impl Account {
    /// Counts a request that would send.
    pub(crate) fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes a mail for good, and lets happen to it what does. `payload` is the hash of the request that its idempotency key stands for.
    pub(crate) fn keep(&self, mail: &Mail, payload: Option<&str>) -> io::Result<()> {
        self.store.keep(mail, payload)?;
        self.events.begin(mail);
        Ok(())
    }
}
