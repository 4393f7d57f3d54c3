//! The visitor of an attempt or request, and its parts of keys.

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

use super::{ACCOUNTS, ADDRESS_FAILURES, ADDRESS_LOCKOUT, REFUSALS};
use crate::base::hex::hex;
use crate::base::network::subscriber;

/// A visitor.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    /// The source address.
    pub address: IpAddr,
    /// The user agent.
    pub user_agent: &'a str,
    /// The device id of the web app, if there is one.
    pub device_id: Option<&'a str>,
}

/// The keys of an address.
pub(super) struct AddressKeys {
    pub(super) lockout: String,
    pub(super) failures: String,
    pub(super) accounts: String,
    pub(super) refusals: String,
}

impl Visitor<'_> {
    /// Returns the device: a hash, because it is only compared.
    pub(super) fn device(&self) -> String {
        match self.device_id {
            Some(id) => sha256(&["device", id]),
            None => sha256(&["browser", self.user_agent, &subscriber(self.address)]),
        }
    }

    pub(super) fn address_keys(&self) -> AddressKeys {
        let address = subscriber(self.address);
        AddressKeys {
            lockout: ADDRESS_LOCKOUT.key(&address),
            failures: ADDRESS_FAILURES.key(&address),
            accounts: ACCOUNTS.key(&address),
            refusals: REFUSALS.key(&address),
        }
    }
}

/// Returns one hash of the parts, which depends on where each part ends.
pub(super) fn sha256(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}
