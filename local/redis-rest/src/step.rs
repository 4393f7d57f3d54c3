//! A command's way: answered by the front, read at a replica, or sent to Redis.

use bytes::Bytes;

use crate::command::Command;
use crate::redis::Reply;

/// Where a command goes.
pub(crate) enum Step {
    /// Nowhere: this is its answer.
    Answered(Reply),
    /// To the replica, which may be behind.
    Stale(Command),
    /// To Redis.
    Sent(Sent),
}

/// A command as Redis shall see it.
pub(crate) struct Sent {
    pub(crate) command: Command,
    /// What to answer in the place of Redis's own SHA-1, if the command succeeds.
    pub(crate) sha: Option<Bytes>,
    /// Whether it is a script with `allow-key-locking`.
    pub(crate) is_locked: bool,
}

impl Step {
    pub(crate) fn sent(&self) -> Option<&Sent> {
        match self {
            Self::Sent(sent) => Some(sent),
            Self::Answered(_) | Self::Stale(_) => None,
        }
    }

    pub(crate) fn stale(&self) -> Option<&Command> {
        match self {
            Self::Stale(command) => Some(command),
            Self::Answered(_) | Self::Sent(_) => None,
        }
    }
}

impl Sent {
    /// What to answer, given what Redis said.
    pub(crate) fn answer(self, reply: Reply) -> Reply {
        match (reply, self.sha) {
            (Reply::Bulk(_), Some(sha)) => Reply::Bulk(sha),
            (reply, _) => reply,
        }
    }
}
