//! The sending account at both providers: verified senders, configured faults and stored mails.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::events::Events;
use crate::fault::Switches;
use crate::mail::Mail;
use crate::rate::Rates;
use crate::store::Store;

/// The state of both endpoints.
#[derive(Debug)]
pub(crate) struct Account {
    /// Verified addresses and domains.
    pub(crate) verified: Vec<String>,
    /// The configuration set that SES knows.
    pub(crate) configuration_set: String,
    /// The API key that Resend knows.
    pub(crate) resend_key: String,
    /// The rate limit of each provider.
    pub(crate) rates: Rates,
    /// The configured failures.
    pub(crate) faults: Switches,
    /// The store of mails.
    pub(crate) store: Arc<Store>,
    /// The events of mails.
    pub(crate) events: Events,
    /// The number of sending requests.
    pub(crate) requests: AtomicU64,
}

impl Account {
    /// Counts a sending request.
    pub(crate) fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Accepts a mail and starts its events. `payload` is the hash of the request for its idempotency key.
    pub(crate) fn keep(&self, mail: &Mail, payload: Option<&str>) -> io::Result<()> {
        self.store.keep(mail, payload)?;
        self.events.begin(mail);
        Ok(())
    }
}
