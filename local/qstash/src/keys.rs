//! The two signing keys, and their rotation.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The current and the next signing key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Keys {
    /// Signs deliveries.
    pub(crate) current: String,
    /// Signs after the next rotation; receivers already accept it.
    pub(crate) next: String,
}

impl Keys {
    /// Returns the keys after a rotation: the next key becomes current, and a new one is created.
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

/// The stored keys. Rotated keys apply only while the server starts with the same configured pair.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeyRing {
    /// The configured keys.
    pub(crate) configured: Keys,
    /// The active keys.
    pub(crate) active: Keys,
}
