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

use jiff::Timestamp;
use tokio::time::Instant;

use crate::protocol::postgres::{self, Postgres};
use crate::service::page::Page;

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

    /// Appends `event` under `event_id`. The same id again changes nothing and returns the first answer, so the call is
    /// repeatable.
    pub async fn append(&self, event_id: &str, event: &Event) -> Result<Appended, Error> {
        append::append(&self.0, event_id, event).await
    }

    /// Returns a page of the entries that the viewer may see.
    pub async fn entries(
        &self,
        viewer: &Viewer,
        filter: &Filter,
        part: &PageRequest,
    ) -> Result<Page<Entry>, Error> {
        entry::entries(&self.0, viewer, filter, part).await
    }

    /// Returns whether the viewer may see all events of a signing request: its owner may, and the administrator of the
    /// owner's domain.
    pub async fn may_see_request(&self, viewer: &Viewer, request_id: &str) -> Result<bool, Error> {
        entry::may_see_request(&self.0, viewer, request_id).await
    }

    /// Verifies `scope`, from `reached` on, until `deadline`.
    pub async fn verify(
        &self,
        signer: &CheckpointSigner,
        scope: &Scope,
        reached: Option<Position>,
        deadline: Instant,
    ) -> Result<Verdict, Error> {
        verify::verify(&self.0, signer, scope, reached, deadline).await
    }

    /// Returns chains after `chain` whose first events were written before `before`.
    pub async fn old_chains(&self, before: Timestamp, after: &str) -> Result<Vec<String>, Error> {
        retire::old_chains(&self.0, before, after).await
    }

    /// Verifies the events of `chain` that were written before `before`, at most a thousand, and signs a checkpoint for
    /// those that may be deleted.
    pub async fn retirable(
        &self,
        signer: &CheckpointSigner,
        chain: &str,
        before: Timestamp,
    ) -> Result<Retirable, Error> {
        retire::retirable(&self.0, signer, chain, before).await
    }
}
