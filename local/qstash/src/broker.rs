//! What the API and the dispatcher share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::Settings;
use crate::clock::Clock;
use crate::hosts::Hosts;
use crate::keys::{KeyRing, Keys};
use crate::plan::PlanLimits;
use crate::scheduler::Scheduler;
use crate::store::{self, Store};

/// Where the signing keys stand among the settings.
pub(crate) const KEYS_SETTING: &str = "signing_keys";

/// What the API and the dispatcher share.
pub(crate) struct Broker {
    /// What must survive.
    pub(crate) store: Store,
    /// What is delivered when.
    pub(crate) scheduler: Arc<Scheduler>,
    /// The two times.
    pub(crate) clock: Arc<Clock>,
    /// Delivers.
    pub(crate) http: reqwest::Client,
    /// What callers must carry.
    pub(crate) token: String,
    /// What the account's plan allows.
    pub(crate) limits: PlanLimits,
    /// Which hosts messages may go to.
    pub(crate) hosts: Hosts,
    keys: RwLock<KeyRing>,
    held: AtomicBool,
    requests: AtomicU64,
}

impl Broker {
    /// Puts the parts together.
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

    /// While held, everything is accepted and nothing delivered.
    pub(crate) fn hold(&self, held: bool) {
        self.held.store(held, Ordering::Release);
        self.scheduler.wake();
    }

    /// Whether deliveries are held.
    pub(crate) fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// Counts a request to the API.
    pub(crate) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Requests to the API so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The key that signs now.
    pub(crate) fn signing_key(&self) -> String {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .active
            .current
            .clone()
    }

    /// Both keys.
    pub(crate) fn keys(&self) -> Keys {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .active
            .clone()
    }

    /// Rotates the keys; they are in the store before they sign.
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
