//! The result of a job's notifications, and the outcome for the queue if not all are settled.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::protocol::upstash;
use shared::service::job::Stop;
use shared::service::notification::{self, NotificationResult, WriteOutcome};

use crate::push::Pushes;

/// The longest wait that a push service can ask for.
const MAX_WAIT: Duration = Duration::from_mins(10);

/// The job's result.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Outcome {
    /// Notifications that are in an inbox.
    pub(crate) created: u64,
    /// Notifications that the users' preferences exclude.
    pub(crate) unwanted: u64,
    /// Notifications without a user.
    #[serde(rename = "nobody")]
    pub(crate) no_recipient: u64,
    /// Messages that push services accepted in this delivery.
    pub(crate) pushed: u64,
    /// Messages that push services rejected or that were abandoned.
    pub(crate) not_pushed: u64,
    #[serde(skip)]
    unknown: u64,
    #[serde(skip)]
    later: u64,
    #[serde(skip)]
    wait: Option<Duration>,
}

/// Why a job's notifications are not all settled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Time ran out: continue in another delivery.
    #[error("timed out with {notifications} notifications left")]
    OutOfTime {
        /// The number of remaining notifications.
        notifications: usize,
        /// Whether this attempt has settled any.
        progressed: bool,
        /// The checkpoint of the next attempt.
        checkpoint: Value,
    },
    /// The database has no such request; it may appear soon.
    #[error("the signing request does not exist yet")]
    NotYet,
    /// The request did not appear.
    #[error("the signing request does not exist")]
    NoRequest,
    /// Push services do not accept messages at the moment.
    #[error("{0} push messages were not accepted by their push services")]
    Push(u64, Option<Duration>),
    /// The rows could not be read or written: retry.
    #[error("the notifications could not be saved")]
    Store(#[from] notification::Error),
    /// The rows are saved, but their events are not published: retry.
    #[error("the real-time events could not be published")]
    Redis(#[from] upstash::Error),
    /// An event could not be serialized.
    #[error("a real-time event could not be serialized")]
    Event(#[from] serde_json::Error),
    /// The job's edge stopped the work.
    #[error(transparent)]
    Stopped(#[from] Stop),
}

impl Outcome {
    pub(crate) fn count(&mut self, results: &[NotificationResult], pushes: &Pushes) {
        for result in results {
            match result.outcome {
                WriteOutcome::Created => self.created += 1,
                WriteOutcome::Unwanted => self.unwanted += 1,
                WriteOutcome::NoRecipient => self.no_recipient += 1,
                WriteOutcome::Unknown => self.unknown += 1,
            }
        }
        self.pushed += pushes.accepted;
        self.not_pushed += pushes.refused;
        self.later += pushes.later;
        self.wait = self.wait.max(pushes.wait);
    }

    /// Returns whether no completed work needs to be repeated.
    pub(crate) fn is_settled(&self) -> bool {
        self.unknown == 0 && self.later == 0
    }

    /// Returns the result if nothing is left. If waiting no longer helps, the rest is abandoned: a message to a browser
    /// is dropped, and a notification about a missing request goes to the dead letters.
    pub(crate) fn settled(mut self, in_vain: bool) -> Result<Self, Error> {
        match (self.unknown, self.later, in_vain) {
            (1.., _, false) => Err(Error::NotYet),
            (1.., _, true) => Err(Error::NoRequest),
            (_, later @ 1.., false) => Err(Error::Push(later, self.wait)),
            (_, later, _) => {
                self.not_pushed += later;
                Ok(self)
            }
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        let reason = error.to_string();
        match error {
            Error::OutOfTime {
                checkpoint,
                progressed: true,
                ..
            } => Self::Continue {
                after: Duration::ZERO,
                checkpoint,
                reason,
            },
            Error::OutOfTime { .. } => Self::defer(Duration::ZERO, reason),
            Error::NoRequest => Self::reject(error),
            Error::Push(_, Some(wait)) => Self::Retry {
                error: reason,
                after: Some(wait.min(MAX_WAIT)),
            },
            Error::Stopped(stop) => stop,
            Error::NotYet
            | Error::Push(_, None)
            | Error::Store(_)
            | Error::Redis(_)
            | Error::Event(_) => Self::retry(error),
        }
    }
}
