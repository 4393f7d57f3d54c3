//! The result of a job's mails, and the outcome for the queue if not all are settled.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::protocol::mail::SendError;
use shared::service::job::Stop;
use shared::service::mail::branding;
use shared::service::mail::budget;
use shared::service::mail::ledger;

use crate::dispatcher::SendOutcome;

/// The minimum wait if the provider's rate allowed no mail of a delivery: other senders use it up.
const MIN_THROTTLE_WAIT: Duration = Duration::from_secs(30);
/// The wait while another job sends the same mail.
const BUSY_WAIT: Duration = Duration::from_secs(30);

/// The job's result.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Delivered {
    /// Mails that the provider accepted.
    pub(crate) sent: u64,
    /// Mails that an earlier delivery sent without recording it.
    pub(crate) skipped: u64,
    /// Mails that the provider rejected permanently.
    pub(crate) rejected: Vec<Refused>,
    /// Mails that were not sent because their recipients get none.
    pub(crate) suppressed: Vec<Refused>,
    /// Mails that were not sent because other mails replace them.
    pub(crate) superseded: u64,
    /// Mails, sent or skipped, that may have been sent twice.
    pub(crate) in_doubt: u64,
    /// The provider's id of the mail, if the job has only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
}

/// A mail that is not sent, identified by its index: results contain no addresses.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Refused {
    /// The recipient's index in the job, from 0.
    pub(crate) recipient: usize,
    /// The provider's message, or why the recipient gets no mail.
    pub(crate) reason: String,
}

/// Why a job's mails are not all settled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Time ran out: continue in another delivery.
    #[error("timed out with {0} recipients left")]
    OutOfTime(usize),
    /// Another job is sending the same mail: continue later.
    #[error("another job is sending this mail")]
    Busy,
    /// The reason that stopped a bulk after this delivery settled some recipients: continue with the others.
    #[error("{reason}")]
    Continued {
        /// The wait before the next attempt.
        after: Duration,
        /// The checkpoint of the next attempt.
        checkpoint: Value,
        /// The reason.
        reason: String,
    },
    /// A limit was reached: continue later.
    #[error("{reason}")]
    Deferred {
        /// The wait before the next attempt.
        after: Duration,
        /// The reason.
        reason: String,
    },
    /// The provider's rate limit lasts longer than the remaining time: continue later.
    #[error("{reason}")]
    Throttled {
        /// The wait that the provider asks for, if any.
        retry_after: Option<Duration>,
        /// The provider's message.
        reason: String,
    },
    /// The provider rejected the job's only mail permanently.
    #[error("the mail provider rejected the mail: {0}")]
    Refused(String),
    /// The provider did not accept the mail, or its answer was lost: retry.
    #[error("the mail could not be sent")]
    Provider(#[source] SendError),
    /// The ledger could not be read or written: retry.
    #[error("the mail could not be recorded")]
    Ledger(#[from] ledger::Error),
    /// The branding could not be read: retry.
    #[error("the mail branding is unavailable")]
    Brand(#[from] branding::Error),
    /// The budgets could not be read: retry.
    #[error("the mail budget could not be checked")]
    Budget(#[from] budget::Error),
    /// A template could not be rendered. Another attempt may not help; another build will.
    #[error("the mail template could not be rendered")]
    Template(#[from] askama::Error),
    /// The job's edge stopped the work.
    #[error(transparent)]
    Stopped(#[from] Stop),
}

impl Delivered {
    /// Counts the outcome of the recipient at an index.
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
    /// Returns the wait if the cause is only a limit or the deadline.
    pub(crate) fn pause(&self) -> Option<Duration> {
        match self {
            Self::OutOfTime(_) => Some(Duration::ZERO),
            Self::Deferred { after, .. } => Some(*after),
            Self::Throttled { retry_after, .. } => Some(retry_after.unwrap_or_default()),
            _ => None,
        }
    }

    /// Returns whether the error concerns only this recipient. A limit, the deadline and an unavailable database
    /// concern all.
    pub(crate) fn is_of_one_recipient(&self) -> bool {
        match self {
            Self::Busy | Self::Provider(_) | Self::Template(_) => true,
            Self::Ledger(error) => !error.is_transient(),
            _ => false,
        }
    }

    /// Returns the error for recipients or a tenant over their mail budget. The job continues when the first recipient
    /// may get mail.
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
