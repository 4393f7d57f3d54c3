//! Ids: how this project creates them, and which external ids it accepts.

use uuid::Uuid;

/// Returns a new id that sorts by its creation time (UUID version 7, RFC 9562 section 5.7), as lower-case text.
#[must_use]
pub fn sortable() -> String {
    Uuid::now_v7().to_string()
}

/// Returns a new random id (UUID version 4): an attempt nonce, which is compared and never sorted.
#[must_use]
pub fn nonce() -> String {
    Uuid::new_v4().simple().to_string()
}

/// The longest accepted external id, in bytes. QStash's ids have about 60.
const MAX_LEN: usize = 256;

/// Returns whether an external id can be used unchanged in a key, a column or a log line: 1 to 256 visible ASCII
/// characters.
#[must_use]
pub fn is_plain(id: &str) -> bool {
    (1..=MAX_LEN).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}
