//! Deduplication: messages with the same id or content within ten minutes are one message.
//!
//! Source: <https://upstash.com/docs/qstash/features/deduplication>.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::options::Options;

/// The lifetime of an id, in milliseconds of broker time.
pub(crate) const WINDOW_MS: u64 = 10 * 60 * 1_000;

/// The key of deduplication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Deduplication {
    /// No deduplication.
    Off,
    /// The publisher's id.
    Id(String),
    /// Destination, body, content type and forwarded headers.
    Content,
}

impl Deduplication {
    /// Returns the deduplication key of a message to `url`. In a URL group every endpoint has its own.
    pub(crate) fn key(
        &self,
        url: &str,
        grouped: bool,
        options: &Options,
        body: &[u8],
    ) -> Option<Vec<u8>> {
        let mut hash = Sha256::new();
        match self {
            Self::Off => return None,
            Self::Id(id) => {
                part(&mut hash, b"id");
                part(&mut hash, id.as_bytes());
                if grouped {
                    part(&mut hash, url.as_bytes());
                }
            }
            Self::Content => {
                part(&mut hash, b"content");
                part(&mut hash, url.as_bytes());
                part(&mut hash, body);
                for (name, value) in options.headers.pairs() {
                    part(&mut hash, name.as_bytes());
                    part(&mut hash, value.as_bytes());
                }
            }
        }
        Some(hash.finalize().to_vec())
    }
}

/// Hashes a part with its length first, so that different lists of parts differ.
fn part(hash: &mut Sha256, bytes: &[u8]) {
    hash.update(bytes.len().to_be_bytes());
    hash.update(bytes);
}
