//! Ids that this project hands out.

use uuid::Uuid;

/// A new id that sorts by the time of its making (UUID version 7, RFC 9562 section 5.7), as lower-case text.
#[must_use]
pub fn sortable() -> String {
    Uuid::now_v7().to_string()
}

/// A new random id (UUID version 4): an attempt nonce, which is compared and never sorted.
#[must_use]
pub fn nonce() -> String {
    Uuid::new_v4().simple().to_string()
}
