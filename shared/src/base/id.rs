//! Ids: those that this project hands out, and what those that come from outside must look like.

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

/// The longest id from outside that is taken over, in bytes; QStash's have some 60.
const MAX_LEN: usize = 256;

/// Whether an id from outside can stand in a key, a column or a log line as it is: 1 to 256 visible ASCII characters.
#[must_use]
pub fn is_plain(id: &str) -> bool {
    (1..=MAX_LEN).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}
