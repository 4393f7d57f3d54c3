//! The verification of one chain, from its checkpoint to its end: the rules that detect and name a broken link.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::canonical_event::CanonicalEvent;
use super::chain::{Broken, Head, Kind, LegacyColumns, Link};
use super::checkpoint_signer::CheckpointSigner;
use crate::base::hex::hex;

/// The previous hash in the first event of a chain.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A verification of one chain.
#[derive(Debug)]
pub(super) struct Walk {
    head: Head,
    legacy: LegacyColumns,
    /// The last verified event.
    sequence: i64,
    hash: String,
}

impl Walk {
    /// Begins after the events that retention has deleted.
    pub(super) fn begin(
        head: Head,
        legacy: LegacyColumns,
        signer: &CheckpointSigner,
    ) -> Result<Self, Broken> {
        let walk = Self {
            sequence: head.retired_sequence,
            hash: head.retired_hash.clone(),
            head,
            legacy,
        };
        if walk.head.retired_sequence == 0 {
            return if walk.hash == GENESIS {
                Ok(walk)
            } else {
                Err(walk.broken(
                    Kind::Checkpoint,
                    "nothing was removed, and yet it begins in the middle",
                ))
            };
        }
        let (text, signature) = (
            walk.head.checkpoint.as_deref().unwrap_or_default(),
            walk.head.signature.as_deref().unwrap_or_default(),
        );
        if !signer.signed(text, signature) {
            return Err(walk.broken(Kind::Checkpoint, "the checkpoint is not signed by us"));
        }
        let canonical: Value = serde_json::from_str(text).unwrap_or_default();
        let agrees = canonical["chain"] == walk.head.chain
            && canonical["sequence"] == walk.sequence
            && canonical["hash"] == walk.hash;
        if agrees {
            Ok(walk)
        } else {
            Err(walk.broken(Kind::Checkpoint, "the checkpoint is that of another place"))
        }
    }

    /// Continues after an event that was verified before.
    pub(super) fn resume(head: Head, legacy: LegacyColumns, sequence: i64, hash: String) -> Self {
        Self {
            head,
            legacy,
            sequence,
            hash,
        }
    }

    pub(super) fn chain(&self) -> &str {
        &self.head.chain
    }

    /// Returns the position that was reached.
    pub(super) fn sequence(&self) -> i64 {
        self.sequence
    }

    /// Returns the hash of the event that was reached.
    pub(super) fn hash(&self) -> &str {
        &self.hash
    }

    /// Verifies the next event.
    pub(super) fn step(&mut self, link: &Link<'_>) -> Result<(), Broken> {
        let expected = self.sequence + 1;
        let at = |kind, detail: String| Broken {
            chain: self.head.chain.clone(),
            sequence: link.sequence,
            event_id: link.event_id.map(ToOwned::to_owned),
            kind,
            detail,
        };
        let text = link.canonical.unwrap_or_default();
        let hash = hex(&Sha256::digest(text));
        if link.hash != Some(hash.as_str()) {
            return Err(at(Kind::Hash, "its text does not have its hash".into()));
        }
        let Ok(canonical) = serde_json::from_str::<CanonicalEvent<'_>>(text) else {
            return Err(at(Kind::Hash, "its text is no event".into()));
        };
        if canonical.chain != self.head.chain || canonical.sequence != link.sequence {
            let detail = format!("it is event {} of {}", canonical.sequence, canonical.chain);
            return Err(at(Kind::Swapped, detail));
        }
        if link.sequence > expected {
            return Err(self.missing(expected, link.sequence - 1));
        }
        if link.sequence < expected || link.sequence > self.head.sequence {
            return Err(at(Kind::Unexpected, "it was never appended".into()));
        }
        if canonical.previous_hash != self.hash.as_str() {
            let detail = format!("it does not go on from event {}", self.sequence);
            return Err(at(Kind::Link, detail));
        }
        if let Some(column) = canonical.differs_from(link, self.legacy) {
            let detail = format!("its column {column} says something else than its text");
            return Err(at(Kind::Column, detail));
        }
        self.sequence = link.sequence;
        self.hash = hash;
        Ok(())
    }

    /// Errors unless the walk has reached the stored end of the chain.
    pub(super) fn end(&self) -> Result<(), Broken> {
        if self.sequence < self.head.sequence {
            return Err(self.missing(self.sequence + 1, self.head.sequence));
        }
        if self.hash != self.head.hash {
            return Err(self.broken(Kind::Link, "the chain's end names another hash"));
        }
        Ok(())
    }

    fn missing(&self, first: i64, last: i64) -> Broken {
        Broken {
            chain: self.head.chain.clone(),
            sequence: first,
            event_id: None,
            kind: Kind::Missing,
            detail: if first == last {
                format!("event {first} is missing")
            } else {
                format!("events {first} to {last} are missing")
            },
        }
    }

    fn broken(&self, kind: Kind, detail: &str) -> Broken {
        Broken {
            chain: self.head.chain.clone(),
            sequence: self.sequence,
            event_id: None,
            kind,
            detail: detail.to_owned(),
        }
    }
}
