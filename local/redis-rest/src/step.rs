//! The route of a command: answered by the front, read at a replica, or sent to Redis.

use bytes::Bytes;

use crate::command::Command;
use crate::redis::Reply;

/// The route of a command.
pub(crate) enum Step {
    /// It is answered here.
    Answered(Reply),
    /// It goes to the replica, which may lag.
    Stale(Command),
    /// It goes to Redis.
    Sent(Sent),
}

/// A command in the form for Redis.
pub(crate) struct Sent {
    pub(crate) command: Command,
    /// The SHA-1 that replaces Redis's own in the answer, if the command succeeds.
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
    /// Returns the answer for Redis's reply.
    pub(crate) fn answer(self, reply: Reply) -> Reply {
        match (reply, self.sha) {
            (Reply::Bulk(_), Some(sha)) => Reply::Bulk(sha),
            (reply, _) => reply,
        }
    }
}
