//! A message before it is published: destination, body and delivery options.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use url::Url;

use super::builder::{Builder, DEDUPLICATION_ID, MAX_BODY};

/// A publishable message. [`Message::to`] creates it; `Debug` shows neither body nor headers.
#[derive(Clone)]
pub struct Message {
    pub(super) destination: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why a message cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The destination is not an http(s) URL with a host.
    #[error("the destination must be an http(s) URL")]
    Destination,
    /// A header cannot contain the value: it is empty, not printable ASCII, or begins or ends with a space.
    #[error("the value of {0} is not allowed in a header")]
    Header(HeaderName),
    /// The body is larger than QStash accepts.
    #[error("the body has {bytes} bytes; a message may have {MAX_BODY}")]
    TooLarge {
        /// The size of the body.
        bytes: usize,
    },
    /// A flow control without any limit.
    #[error("the flow control must set a limit")]
    FlowControl,
    /// The body could not be serialized as JSON.
    #[error("the body cannot be serialized as JSON")]
    Body(#[source] serde_json::Error),
}

impl Message {
    /// Starts a message to `destination`: an absolute http(s) URL. A fragment is removed: it is never sent.
    pub fn to(mut destination: Url) -> Builder {
        destination.set_fragment(None);
        Builder::new(Self {
            destination,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        })
    }

    /// Returns the destination.
    #[must_use]
    pub fn destination(&self) -> &Url {
        &self.destination
    }

    /// Returns the headers of the publish request, including the content type.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns whether publishing it twice within QStash's deduplication window creates one message.
    #[must_use]
    pub fn is_deduplicated(&self) -> bool {
        self.headers.contains_key(DEDUPLICATION_ID)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("destination", &self.destination.as_str())
            .field("deduplication_id", &self.headers.get(DEDUPLICATION_ID))
            .finish_non_exhaustive()
    }
}
