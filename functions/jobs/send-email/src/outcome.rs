//! What came of a job's mails, and what the queue is told where they are not all settled.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::protocol::mail::SendError;
use shared::service::job::Stop;
use shared::service::mail::branding;
use shared::service::mail::budget;
use shared::service::mail::ledger;

use crate::dispatcher::SendOutcome;

/// How long to stay away when the rate of the provider left no room for any mail of a delivery: others use it up.
const MIN_THROTTLE_WAIT: Duration = Duration::from_secs(30);
/// How long to stay away while another job sends the same mail.
const BUSY_WAIT: Duration = Duration::from_secs(30);

/// The job's result.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Delivered {
    /// Mails that the provider took.
    pub(crate) sent: u64,
    /// Mails that a delivery before had sent, without getting to say so.
    pub(crate) skipped: u64,
    /// Mails that it will never take.
    pub(crate) rejected: Vec<Refused>,
    /// Mails that were not sent because their recipients get none.
    pub(crate) suppressed: Vec<Refused>,
    /// Mails that were not sent because others have taken their places.
    pub(crate) superseded: u64,
    /// Mails, sent or skipped, that may have gone twice.
    pub(crate) in_doubt: u64,
    /// The provider's id of the mail, where the job has only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
}

/// A mail that does not go, named by its place: results hold no addresses.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Refused {
    /// The recipient's place in the job, from 0.
    pub(crate) recipient: usize,
    /// The provider's words, or why the recipient gets no mail.
    pub(crate) reason: String,
}

/// Why a job's mails are not all settled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Time ran out: go on in another delivery.
    #[error("timed out with {0} recipients left")]
    OutOfTime(usize),
    /// Another job is sending this very mail: go on after a while.
    #[error("another job is sending this mail")]
    Busy,
    /// What stopped a bulk of which this delivery has settled some: go on with the others.
    #[error("{reason}")]
    Continued {
        /// How long to stay away.
        after: Duration,
        /// Where the next attempt goes on.
        checkpoint: Value,
        /// What stopped it.
        reason: String,
    },
    /// A limit is met: go on after a while.
    #[error("{reason}")]
    Deferred {
        /// How long to stay away.
        after: Duration,
        /// Why.
        reason: String,
    },
    /// The provider limits, for longer than the time that was left: go on when there is room.
    #[error("{reason}")]
    Throttled {
        /// How long the provider is to be left alone, if it says so.
        retry_after: Option<Duration>,
        /// The provider's words.
        reason: String,
    },
    /// The job's only mail is refused for good.
    #[error("the mail provider rejected the mail: {0}")]
    Refused(String),
    /// The provider did not take the mail, or did not say so: try again.
    #[error("the mail could not be sent")]
    Provider(#[source] SendError),
    /// The ledger could not be read or written: try again.
    #[error("the mail could not be recorded")]
    Ledger(#[from] ledger::Error),
    /// In whose name to send could not be read: try again.
    #[error("the mail branding is unavailable")]
    Brand(#[from] branding::Error),
    /// The budgets could not be asked: try again.
    #[error("the mail budget could not be checked")]
    Budget(#[from] budget::Error),
    /// A template could not be filled in, which another attempt may not change, but another build will.
    #[error("the mail template could not be rendered")]
    Template(#[from] askama::Error),
    /// The job's own edge says stop.
    #[error(transparent)]
    Stopped(#[from] Stop),
}

impl Delivered {
    /// Counts what became of the recipient at a place.
    pub(crate) fn count(&mut self, recipient: usize, outcome: SendOutcome) {
        match outcome {
            SendOutcome::Sent {
                message_id,
                in_doubt,
            } => {
                self.sent += 1;
                self.in_doubt += u64::from(in_doubt);
                self.message_id = message_id;
            }
            SendOutcome::Skipped { in_doubt } => {
                self.skipped += 1;
                self.in_doubt += u64::from(in_doubt);
            }
            SendOutcome::Rejected { reason } => self.rejected.push(Refused { recipient, reason }),
            SendOutcome::Suppressed { reason } => self.suppressed.push(Refused {
                recipient,
                reason: reason.to_string(),
            }),
            SendOutcome::Superseded => self.superseded += 1,
        }
    }
}

impl Error {
    /// How long to stay away where nothing is wrong and only a limit or the clock is met.
    pub(crate) fn pause(&self) -> Option<Duration> {
        match self {
            Self::OutOfTime(_) => Some(Duration::ZERO),
            Self::Deferred { after, .. } => Some(*after),
            Self::Throttled { retry_after, .. } => Some(retry_after.unwrap_or_default()),
            _ => None,
        }
    }

    /// Whether the next recipient may have better luck. A limit, the clock and a database that is away are everybody's.
    pub(crate) fn is_of_one_recipient(&self) -> bool {
        match self {
            Self::Busy | Self::Provider(_) | Self::Template(_) => true,
            Self::Ledger(error) => !error.is_transient(),
            _ => false,
        }
    }

    /// Recipients have had their share of mails, or the tenant has sent its share: the job goes on when the first may.
    pub(crate) fn over_budget(held: usize, after: Duration) -> Self {
        Self::Deferred {
            after,
            reason: format!("the mail budget of {held} recipients or of the tenant is used up"),
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        let reason = error.to_string();
        match error {
            Error::OutOfTime(_) => Self::defer(Duration::ZERO, reason),
            Error::Throttled { retry_after, .. } => Self::defer(
                retry_after.unwrap_or_default().max(MIN_THROTTLE_WAIT),
                reason,
            ),
            Error::Busy => Self::defer(BUSY_WAIT, reason),
            Error::Deferred { after, .. } => Self::defer(after, reason),
            Error::Continued {
                after, checkpoint, ..
            } => Self::Continue {
                after,
                checkpoint,
                reason,
            },
            Error::Refused(_) => Self::reject(error),
            Error::Stopped(stop) => stop,
            Error::Provider(_)
            | Error::Ledger(_)
            | Error::Brand(_)
            | Error::Budget(_)
            | Error::Template(_) => Self::retry(error),
        }
    }
}
