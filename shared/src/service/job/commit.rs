//! Committing the outcome of an attempt, and recording its progress.

use jiff::Timestamp;
use serde_json::Value;

use super::claim::Claim;
use super::create::life;
use super::record::{Progress, Status};
use super::{Error, keys, scripts};
use crate::protocol::upstash::Redis;

/// The outcome of an attempt.
#[derive(Clone, Debug)]
pub enum AttemptOutcome {
    /// The work is done.
    Completed(Value),
    /// It failed and will be delivered again.
    Failed(String),
    /// It failed by a panic and will be delivered again.
    Panicked(String),
    /// It failed and will not be tried again.
    Dead(String),
    /// It was published again.
    Deferred(Deferral),
}

/// The deferral of a job.
#[derive(Clone, Debug)]
pub struct Deferral {
    /// When it continues.
    pub at: Timestamp,
    /// The reason, for the timeline.
    pub reason: String,
}

impl AttemptOutcome {
    fn status(&self) -> Status {
        match self {
            Self::Completed(_) => Status::Completed,
            Self::Failed(_) | Self::Panicked(_) => Status::Failed,
            Self::Dead(_) => Status::Dead,
            Self::Deferred(_) => Status::Deferred,
        }
    }

    fn error(&self) -> &str {
        match self {
            Self::Completed(_) => "",
            Self::Failed(error) | Self::Panicked(error) | Self::Dead(error) => error,
            Self::Deferred(deferral) => &deferral.reason,
        }
    }
}

pub(super) async fn commit(
    redis: &Redis,
    claim: &Claim,
    attempt_outcome: &AttemptOutcome,
) -> Result<bool, Error> {
    let name = claim.job.name();
    let result = match attempt_outcome {
        AttemptOutcome::Completed(result) => result.to_string(),
        _ => String::new(),
    };
    let (not_before, generation) = match attempt_outcome {
        AttemptOutcome::Deferred(Deferral { at, .. }) => {
            (at.as_millisecond(), claim.generation + 1)
        }
        _ => (0, claim.generation),
    };
    let panicked = matches!(attempt_outcome, AttemptOutcome::Panicked(_));
    let call = scripts::COMMIT
        .invoke()
        .key(keys::JOB.key(&claim.job_id))
        .key(keys::OPEN.key(name))
        .key(keys::STATS.key(name))
        .key(keys::DEAD.key(name))
        .arg(&claim.nonce)
        .arg(claim.fence)
        .arg(&claim.job_id)
        .arg(attempt_outcome.status())
        .arg(result)
        .arg(attempt_outcome.error())
        .arg(not_before)
        .arg(generation)
        .arg(claim.panics + u32::from(panicked))
        .arg(life(claim.job.plan()));
    Ok(redis.eval::<i64>(call).await? == 1)
}

pub(super) async fn progress(
    redis: &Redis,
    claim: &Claim,
    progress: Progress,
) -> Result<bool, Error> {
    let call = scripts::PROGRESS
        .invoke()
        .key(keys::JOB.key(&claim.job_id))
        .arg(claim.fence)
        .arg(progress.done)
        .arg(progress.total);
    Ok(redis.eval::<i64>(call).await? == 1)
}
