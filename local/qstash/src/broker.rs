//! The state that the API and the dispatcher share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::Settings;
use crate::clock::Clock;
use crate::hosts::Hosts;
use crate::keys::{KeyRing, Keys};
use crate::plan::PlanLimits;
use crate::scheduler::Scheduler;
use crate::store::{self, Store};

/// The key of the signing keys among the settings.
pub(crate) const KEYS_SETTING: &str = "signing_keys";

/// The state that the API and the dispatcher share.
pub(crate) struct Broker {
    /// The durable state.
    pub(crate) store: Store,
    /// The schedule of deliveries.
    pub(crate) scheduler: Arc<Scheduler>,
    /// The clock with both times.
    pub(crate) clock: Arc<Clock>,
    /// The client for deliveries.
    pub(crate) http: reqwest::Client,
    /// The token that callers must send.
    pub(crate) token: String,
    /// The limits of the account's plan.
    pub(crate) limits: PlanLimits,
    /// The allowed hosts of messages.
    pub(crate) hosts: Hosts,
    keys: RwLock<KeyRing>,
    held: AtomicBool,
    requests: AtomicU64,
}

impl Broker {
    /// Creates the state from its parts.
    pub(crate) fn new(
        store: Store,
        scheduler: Arc<Scheduler>,
        clock: Arc<Clock>,
        http: reqwest::Client,
        settings: &Settings,
        keys: KeyRing,
    ) -> Self {
        let (held, requests) = (AtomicBool::new(false), AtomicU64::new(0));
        Self {
            store,
            scheduler,
            clock,
            http,
            token: settings.token.clone(),
            limits: settings.limits(),
            hosts: settings.hosts.clone(),
            keys: RwLock::new(keys),
            held,
            requests,
        }
    }

    /// Holds or releases deliveries. While held, messages are accepted and not delivered.
    pub(crate) fn hold(&self, held: bool) {
        self.held.store(held, Ordering::Release);
        self.scheduler.wake();
    }

    /// Returns whether deliveries are held.
    pub(crate) fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// Counts a request to the API.
    pub(crate) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of API requests so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Returns the current signing key.
    pub(crate) fn signing_key(&self) -> String {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .active
            .current
            .clone()
    }

    /// Returns both keys.
    pub(crate) fn keys(&self) -> Keys {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .active
            .clone()
    }

    /// Rotates the keys; they are stored before they sign.
    pub(crate) async fn rotate_keys(&self) -> Result<Keys, store::Error> {
        let mut ring = self
            .keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        ring.active = ring.active.rotated();
        let keys = ring.active.clone();
        let stored = ring.clone();
        self.store
            .write(move |tx| Ok((tx.put_setting(KEYS_SETTING, &stored)?, Vec::new())))
            .await?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = ring;
        Ok(keys)
    }
}
