//! `Idempotency-Key`: a repeated request sends one mail.
//!
//! <https://resend.com/docs/dashboard/emails/idempotency-keys>. Finished requests are stored with the mails, see
//! [`crate::store`]; requests without a response are stored here.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::HeaderMap;
use sha2::{Digest, Sha256};

use super::refusal::{Code, Refusal};
use crate::clock;
use crate::store::Store;

/// The longest key, in characters.
const MAX_KEY: usize = 256;

/// Returns the key of a request, if it has one.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().map_err(|_| Code::InvalidIdempotencyKey)?;
    if key.is_empty() || key.chars().count() > MAX_KEY {
        return Err(Code::InvalidIdempotencyKey.into());
    }
    Ok(Some(key.to_owned()))
}

/// Returns a hash of the request, independent of spacing and the order of members.
pub(super) fn payload(path: &str, body: &serde_json::Value) -> String {
    let hash = Sha256::digest(format!("{path}\n{body}"));
    format!("{:x}", Bytes::copy_from_slice(&hash))
}

/// Returns the response to an earlier request with this key.
pub(super) fn answered(
    store: &Store,
    key: &str,
    payload: &str,
) -> Result<Option<Vec<String>>, Refusal> {
    match store.taken(key, clock::now()) {
        None => Ok(None),
        Some(taken) if taken.payload == payload => Ok(Some(taken.ids)),
        Some(_) => Err(Code::InvalidIdempotentRequest.into()),
    }
}

/// The keys of the requests that have no response yet.
#[derive(Clone, Debug, Default)]
pub(super) struct InFlight(Arc<Mutex<HashSet<String>>>);

/// A key that is reserved while this value lives.
#[derive(Debug)]
pub(super) struct Flight {
    keys: InFlight,
    key: String,
}

impl InFlight {
    /// Reserves a key. Errors if another request has it.
    pub(super) fn begin(&self, key: &str) -> Result<Flight, Refusal> {
        if !self.keys().insert(key.to_owned()) {
            return Err(Code::ConcurrentIdempotentRequests.into());
        }
        Ok(Flight {
            keys: self.clone(),
            key: key.to_owned(),
        })
    }

    fn keys(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.keys.keys().remove(&self.key);
    }
}
