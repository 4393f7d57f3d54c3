//! Committing how an attempt ended, and telling how far it is.

use jiff::Timestamp;
use serde_json::Value;

use super::claim::Claim;
use super::create::life;
use super::record::{Progress, Status};
use super::{Error, Jobs, keys, scripts};

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum Ending {
    /// The work is done.
    Completed(Value),
    /// It failed and will be delivered again.
    Failed(String),
    /// It failed by a panic and will be delivered again.
    Panicked(String),
    /// It failed and will not be tried again.
    Dead(String),
    /// It was published again, to run at this instant.
    Deferred(Timestamp, String),
}

impl Ending {
    fn status(&self) -> Status {
        match self {
            Self::Completed(_) => Status::Completed,
            Self::Failed(_) | Self::Panicked(_) => Status::Failed,
            Self::Dead(_) => Status::Dead,
            Self::Deferred(..) => Status::Deferred,
        }
    }

    fn error(&self) -> &str {
        match self {
            Self::Completed(_) => "",
            Self::Failed(error)
            | Self::Panicked(error)
            | Self::Dead(error)
            | Self::Deferred(_, error) => error,
        }
    }
}

impl Jobs {
    /// Writes how an attempt ended. False means that the lease was taken over: nothing was written.
    pub async fn commit(&self, claim: &Claim, ending: &Ending) -> Result<bool, Error> {
        let name = claim.job.name();
        let result = match ending {
            Ending::Completed(result) => result.to_string(),
            _ => String::new(),
        };
        let (not_before, generation) = match ending {
            Ending::Deferred(at, _) => (at.as_millisecond(), claim.generation + 1),
            _ => (0, claim.generation),
        };
        let panicked = matches!(ending, Ending::Panicked(_));
        let call = scripts::COMMIT
            .invoke()
            .key(keys::JOB.key(&claim.job_id))
            .key(keys::OPEN.key(name))
            .key(keys::STATS.key(name))
            .key(keys::DEAD.key(name))
            .arg(&claim.nonce)
            .arg(claim.fence)
            .arg(&claim.job_id)
            .arg(ending.status())
            .arg(result)
            .arg(ending.error())
            .arg(not_before)
            .arg(generation)
            .arg(claim.panics + u32::from(panicked))
            .arg(life(claim.job.plan()));
        Ok(self.redis.eval::<i64>(call).await? == 1)
    }

    /// Writes how far an attempt is. False means that the lease was taken over.
    pub async fn progress(&self, claim: &Claim, progress: Progress) -> Result<bool, Error> {
        let call = scripts::PROGRESS
            .invoke()
            .key(keys::JOB.key(&claim.job_id))
            .arg(claim.fence)
            .arg(progress.done)
            .arg(progress.total);
        Ok(self.redis.eval::<i64>(call).await? == 1)
    }
}
