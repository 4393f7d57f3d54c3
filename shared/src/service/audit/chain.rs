//! A chain, its links, and the result of its verification: the types that reading and verifying share.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::identity;

/// The scope of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every chain.
    All,
    /// The chain of a signing request.
    Request(String),
    /// Every chain with an action of a user.
    User(String),
}

impl Scope {
    /// Returns the same scope, with its id in the spelling of appended events.
    pub(super) fn normal(&self) -> Self {
        match self {
            Self::All => Self::All,
            Self::Request(id) => Self::Request(identity::id(id)),
            Self::User(id) => Self::User(identity::user(id)),
        }
    }
}

/// A position of a verification: everything before it is valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The chain.
    pub chain: String,
    /// The last verified event of the chain; 0 if none is verified yet, and the highest number if the chain is
    /// finished.
    pub sequence: i64,
    /// That event's hash.
    pub hash: String,
}

impl Position {
    /// Returns the end of a chain.
    pub(super) fn all_of(chain: String) -> Self {
        Self {
            chain,
            sequence: i64::MAX,
            hash: String::new(),
        }
    }
}

/// The result of a verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Whether all verified links are intact.
    pub valid: bool,
    /// The number of verified events.
    pub events: u64,
    /// The number of verified chains.
    pub chains: u64,
    /// The first broken link, ordered by chain and position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_broken: Option<Broken>,
    /// Rows older than the chain, which nothing proves; counted up to 100,000.
    pub unchained: u64,
    /// Where to continue if time ran out.
    #[serde(skip)]
    pub reached: Option<Position>,
}

/// The fault of a broken link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The text or its hash was changed.
    Hash,
    /// A column differs from the text.
    Column,
    /// The row is in the position of another row.
    Swapped,
    /// One or more events are missing.
    Missing,
    /// The event does not continue the previous one, which was replaced.
    Link,
    /// The event was never appended.
    Unexpected,
    /// The checkpoint for removed events was not written by retention.
    Checkpoint,
}

/// The first broken link of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Broken {
    /// The chain.
    pub chain: String,
    /// The position in the chain.
    pub sequence: i64,
    /// The event at this position, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// The fault.
    pub kind: Kind,
    /// A description of the fault.
    pub detail: String,
}

/// The end of a chain, and the part that retention has deleted.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Head {
    pub(super) chain: String,
    pub(super) sequence: i64,
    pub(super) hash: String,
    pub(super) retired_sequence: i64,
    pub(super) retired_hash: String,
    pub(super) checkpoint: Option<String>,
    pub(super) signature: Option<String>,
}

/// A row of the log: its text, and its other columns.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Link<'a> {
    pub(super) sequence: i64,
    pub(super) event_id: Option<&'a str>,
    pub(super) previous_hash: Option<&'a str>,
    pub(super) hash: Option<&'a str>,
    pub(super) canonical: Option<&'a str>,
    pub(super) request_id: Option<&'a str>,
    pub(super) domain: Option<&'a str>,
    pub(super) user_id: Option<&'a str>,
    pub(super) action: Option<&'a str>,
    pub(super) resource_type: Option<&'a str>,
    pub(super) resource_id: Option<&'a str>,
    pub(super) ip_address: Option<&'a str>,
    pub(super) user_agent: Option<&'a str>,
    /// JSON text.
    pub(super) details: Option<&'a str>,
    /// JSON text.
    pub(super) metadata: Option<&'a str>,
    pub(super) created_micros: Option<i64>,
    pub(super) recorded_micros: Option<i64>,
}

/// The columns that cannot store every text: an older table may have other types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LegacyColumns {
    pub(super) user_id: bool,
    pub(super) resource_id: bool,
    pub(super) ip_address: bool,
}
