//! The two signing keys, and their rotation.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The key that signs, and the one that will.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Keys {
    /// Signs deliveries.
    pub(crate) current: String,
    /// Signs after the next rotation; receivers accept it already.
    pub(crate) next: String,
}

impl Keys {
    /// The keys after a rotation: next becomes current, and a new one is made.
    pub(crate) fn rotated(&self) -> Self {
        Self {
            current: self.next.clone(),
            next: format!("sig_{}", Uuid::new_v4().simple()),
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Keys([redacted])")
    }
}

/// What the store keeps: rotated keys count only as long as the server is started with the same first pair.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeyRing {
    /// What the server was started with.
    pub(crate) configured: Keys,
    /// What signs now.
    pub(crate) active: Keys,
}
