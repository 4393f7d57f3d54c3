//! An active message. Its body is in a separate table, so that lists and the scheduler never load it.

use std::fmt;
use std::sync::Arc;

use redb::TableDefinition;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::destination::Target;
use crate::name::Name;
use crate::options::Options;
use crate::store::Record;

/// A message's id. Ids sort by creation time, which makes queues first in, first out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) struct MessageId(Arc<str>);

impl MessageId {
    /// Creates an id that sorts after all earlier ones.
    pub(crate) fn new() -> Self {
        Self(format!("msg_{}", Uuid::now_v7().simple()).into())
    }

    /// Returns the id as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for MessageId {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for MessageId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<MessageId> for String {
    fn from(id: MessageId) -> Self {
        id.0.to_string()
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A slot in a queue: the queue, and the message that took the slot. A callback shares its message's slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The queue.
    pub(crate) queue: Name,
    /// The message that took the slot.
    pub(crate) root: MessageId,
}

/// An active message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Message {
    /// Its id.
    pub(crate) id: MessageId,
    /// Its destination.
    pub(crate) target: Target,
    /// The publisher's options.
    pub(crate) options: Options,
    /// Its slot in a queue, if it has one.
    pub(crate) place: Option<Place>,
    /// The group it was published to.
    pub(crate) url_group: Option<Name>,
    /// The endpoint's name in the group.
    pub(crate) endpoint: Option<Name>,
    /// The schedule that created it.
    pub(crate) schedule_id: Option<Name>,
    /// The publisher's address.
    pub(crate) caller_ip: String,
    /// When it was accepted, in wall-clock milliseconds.
    pub(crate) created_ms: u64,
    /// The earliest delivery, in wall-clock milliseconds: the API shows it.
    pub(crate) not_before_ms: u64,
    /// When it is due, in broker milliseconds: the scheduler uses it.
    pub(crate) due_ms: u64,
    /// Attempts that failed.
    pub(crate) retried: u32,
}

impl Message {
    /// Returns whether this is the callback of another message.
    pub(crate) fn shares_place(&self) -> bool {
        self.place
            .as_ref()
            .is_some_and(|place| place.root != self.id)
    }
}

impl Record for Message {
    const TABLE: TableDefinition<'static, &'static str, &'static [u8]> =
        TableDefinition::new("messages");
}
