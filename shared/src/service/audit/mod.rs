//! Audit events: append-only and hash-chained, so that changed, missing and swapped events are detected.
//!
//! One SQL function appends (`shared/migrations/0008_audit.sql`); the web app may call it as well. An event is stored
//! as canonical text (RFC 8785), which contains the hash of the previous event in its chain. Its own hash is the
//! SHA-256 of that text, and every column is derived from the text.

mod append;
mod canonical_event;
mod chain;
mod chain_verifier;
mod checkpoint_signer;
mod entry;
mod event;
mod links;
mod retire;
mod text;
mod verify;
mod walk;

pub use self::append::Appended;
pub use self::chain::{Broken, Kind, Position, Scope, Verdict};
pub use self::checkpoint_signer::CheckpointSigner;
pub use self::entry::{Entry, Filter, PageRequest, Viewer};
pub use self::event::{ACTIONS, Event, EventTime, RESOURCE_TYPES, TooLarge};
pub use self::retire::{Checkpoint, Retirable};
pub use self::text::{InvalidText, Name, Text, Word};
use crate::protocol::postgres::{self, Postgres};

/// Why the log could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The statement failed; the cause says whether a retry is useful.
    #[error("the audit log is unavailable")]
    Postgres(#[from] postgres::Error),
    /// The event is rejected permanently.
    #[error("the audit event was rejected: {0}")]
    Refused(String),
    /// The database returned an unexpected value.
    #[error("the audit log has a value that this version does not know")]
    Unreadable,
}

/// The audit log in the database.
#[derive(Clone, Debug)]
pub struct Audit(Postgres);

impl Audit {
    /// Returns the log of a migrated database.
    #[must_use]
    pub fn new(postgres: Postgres) -> Self {
        Self(postgres)
    }
}
