//! Background jobs: their records, and the rules by which each takes effect once although delivery is at least once.
//!
//! A record is created before its message is published ([`Jobs::create`]). A delivery claims the job ([`Jobs::claim`]):
//! it gets a lease, which expires, and a fence, a number that grows with each claim. It can commit the attempt's
//! outcome ([`Jobs::commit`]) only while its fence is the newest. A crash between the two loses nothing: the lease
//! expires and the next delivery claims the job. Every call is one request; the scripts in `lua/` use Redis's time.
//!
//! A job has a generation. Redriving or deferring it publishes a message of the next generation, and older messages are
//! superseded.

mod bulk;
mod claim;
mod commit;
mod control;
mod create;
mod failed_message;
mod handover;
mod kind;
mod overdue;
mod pause;
mod plan;
mod publisher;
mod read;
mod record;
mod schedule;
mod scripts;
mod size;
mod stop;
mod tracking;
mod unclaimed;
mod viewer;

pub mod keys;

pub use bulk::{BulkFilter, BulkMatches, StatusCounts};
pub use claim::{Claim, Claimed, Incoming};
pub use commit::{AttemptOutcome, Deferral};
pub use control::{Cancelled, Failed, Redriven, Refusal};
pub use create::{Created, Idempotency, JobOptions, NewJob, RecordState};
pub use failed_message::FailedMessage;
pub use handover::{Delivery, Handover};
pub use kind::{JobType, Priority};
pub use pause::HELD_FOR;
pub use plan::{FAILURE_HANDLER, Flow, Plan, stretched};
pub use publisher::{Outgoing, Publisher, Run};
pub use read::Stats;
pub use read::{Filter, Page};
pub use record::{Job, Progress, Status, TimelineEntry};
pub use schedule::{Registered, SCHEDULES, Schedule};
pub use size::{PART_BYTES, must_fit, parts};
pub use stop::Stop;
pub use tracking::{Continuation, Continued, Tracking};
pub use unclaimed::{Overdue, UNCLAIMED_AFTER, Unclaimed};
pub use viewer::Viewer;

use crate::protocol::{qstash, upstash};

/// Errors of a job's record or its message.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The record store failed.
    #[error("the job's record is unavailable")]
    Record(#[from] upstash::Error),
    /// QStash did not accept the message.
    #[error("the job's message was not published")]
    Publish(#[from] qstash::Error),
    /// QStash rejected one message of a batch.
    #[error("the job's message was rejected")]
    Refused(#[source] qstash::Refusal),
    /// The message cannot be built.
    #[error("the job's message is invalid")]
    Message(#[from] qstash::MessageError),
    /// The payload is larger than a message may be.
    #[error("the job's message has {bytes} bytes, more than QStash can deliver")]
    TooLarge {
        /// The size of the message.
        bytes: usize,
    },
    /// The payload is not a JSON object.
    #[error("the job's payload cannot be serialized")]
    Payload(#[from] serde_json::Error),
    /// This version cannot read a record or a script's answer.
    #[error("the job's record is unreadable: {0}")]
    Unreadable(String),
}

impl Error {
    /// Returns whether QStash rejects this message: it is wrong, and publishing it again does not help.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        match self {
            Self::Publish(error) => error.is_rejection(),
            Self::Refused(_) | Self::Message(_) | Self::TooLarge { .. } | Self::Payload(_) => true,
            Self::Record(_) | Self::Unreadable(_) => false,
        }
    }

    /// Returns whether the same call may succeed later without a change of the request, the code or the settings.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Record(error) => error.is_transient(),
            Self::Publish(error) => error.is_transient(),
            _ => false,
        }
    }

    /// Returns whether the request may have taken effect although the call failed.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        match self {
            Self::Record(error) => error.is_ambiguous(),
            Self::Publish(error) => error.is_ambiguous(),
            _ => false,
        }
    }
}

/// The records of all jobs.
#[derive(Clone, Debug)]
pub struct Jobs {
    redis: upstash::Redis,
}

impl Jobs {
    /// Records in `redis`.
    #[must_use]
    pub fn new(redis: upstash::Redis) -> Self {
        Self { redis }
    }
}
