//! Deduplication: within ten minutes the same id, or the same content, is one message.
//!
//! Source: <https://upstash.com/docs/qstash/features/deduplication>.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::options::Options;

/// How long an id is remembered, in milliseconds of broker time.
pub(crate) const WINDOW_MS: u64 = 10 * 60 * 1_000;

/// What makes two messages one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Deduplication {
    /// Nothing.
    Off,
    /// The publisher's id.
    Id(String),
    /// Destination, body, content type and forwarded headers.
    Content,
}

impl Deduplication {
    /// The key under which a message to `url` is remembered. In a URL group every endpoint has its own.
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

/// Length first, so that no two lists of parts look alike.
fn part(hash: &mut Sha256, bytes: &[u8]) {
    hash.update(bytes.len().to_be_bytes());
    hash.update(bytes);
}
