//! What people, and the queue itself, do to jobs from outside: cancel, redrive, give up.

use std::time::Duration;

use super::claim::{Incoming, MESSAGE_LIFE};
use super::create::{LIST_CAP, life};
use super::kind::{JobType, Priority};
use super::record::Status;
use super::{Error, Jobs, keys, scripts};
use crate::base::id;
use crate::protocol::upstash::Reply;

/// What a wish to cancel met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// The job will not run.
    Done,
    /// It is running, or has ended.
    Refused(Status),
    /// There is no such job.
    Unknown,
}

/// What a wish to redrive met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redriven {
    /// The record waits for a message of this generation.
    Ready {
        /// The generation to publish.
        generation: u32,
        /// The job's priority.
        priority: Priority,
        /// The job's tenant.
        tenant: String,
        /// The payload, as it was first given.
        payload: String,
    },
    /// It is running, or completed, or its payload is gone.
    Refused(Status),
    /// There is no such job.
    Unknown,
}

/// What a word that a message was given up met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The job is marked dead.
    Dead,
    /// The record knows better: it has ended, or a newer message exists.
    Kept,
    /// An attempt still holds the lease, for this long at the most.
    Busy(Duration),
}

impl Jobs {
    /// Cancels a job that nobody runs.
    pub async fn cancel(&self, job: JobType, job_id: &str) -> Result<Cancelled, Error> {
        let call = scripts::CANCEL
            .invoke()
            .key(keys::JOB.key(job_id))
            .key(keys::OPEN.key(job.name()))
            .key(keys::STATS.key(job.name()))
            .arg(id::nonce())
            .arg(job_id)
            .arg("by request");
        let answer = self.redis.eval::<Vec<String>>(call).await?;
        match words(&answer).as_slice() {
            ["cancelled"] => Ok(Cancelled::Done),
            ["refused", status] => Ok(Cancelled::Refused(status.parse()?)),
            ["unknown"] => Ok(Cancelled::Unknown),
            _ => Err(unreadable("cancel", &answer)),
        }
    }

    /// Makes a job that failed, died, waits or was cancelled ready to be published again.
    pub async fn redrive(&self, job: JobType, job_id: &str) -> Result<Redriven, Error> {
        let call = scripts::REDRIVE
            .invoke()
            .key(keys::JOB.key(job_id))
            .key(keys::OPEN.key(job.name()))
            .key(keys::STATS.key(job.name()))
            .arg(id::nonce())
            .arg(job_id)
            .arg(life(job.plan()));
        let answer = self.redis.eval::<Vec<Reply>>(call).await?;
        let text: Vec<String> = answer.iter().map(text).collect();
        match words(&text).as_slice() {
            ["ready", generation, priority, tenant, payload] => Ok(Redriven::Ready {
                generation: generation
                    .parse()
                    .map_err(|_| unreadable("redrive", &text))?,
                priority: priority.parse()?,
                tenant: (*tenant).to_owned(),
                payload: (*payload).to_owned(),
            }),
            ["refused", status] => Ok(Redriven::Refused(status.parse()?)),
            ["unknown"] => Ok(Redriven::Unknown),
            _ => Err(unreadable("redrive", &text)),
        }
    }

    /// Marks a job dead because its message was given up, or can never be read.
    pub async fn fail(&self, incoming: Incoming<'_>, error: &str) -> Result<Failed, Error> {
        let name = incoming.job.name();
        let call = scripts::FAIL
            .invoke()
            .key(keys::JOB.key(incoming.job_id))
            .key(keys::OPEN.key(name))
            .key(keys::STATS.key(name))
            .key(keys::LIST.key(name))
            .key(keys::MESSAGE.key(incoming.message_id))
            .arg(incoming.job_id)
            .arg(name)
            .arg(incoming.generation)
            .arg(error)
            .arg(incoming.payload)
            .arg(LIST_CAP)
            .arg(incoming.message_id)
            .arg(MESSAGE_LIFE.as_millis());
        let answer = self.redis.eval::<Vec<Reply>>(call).await?;
        match answer.as_slice() {
            [Reply::Bytes(state)] if state == b"dead" => Ok(Failed::Dead),
            [Reply::Bytes(state), _] if state == b"kept" => Ok(Failed::Kept),
            [Reply::Bytes(state), Reply::Integer(ms)] if state == b"busy" => Ok(Failed::Busy(
                Duration::from_millis(u64::try_from(*ms).unwrap_or_default()),
            )),
            _ => Err(Error::Unreadable(format!("fail answered {answer:?}"))),
        }
    }
}

fn words(answer: &[String]) -> Vec<&str> {
    answer.iter().map(String::as_str).collect()
}

fn text(reply: &Reply) -> String {
    match reply {
        Reply::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Reply::Integer(value) => value.to_string(),
        Reply::Nil | Reply::Array(_) => String::new(),
    }
}

fn unreadable(script: &str, answer: &[String]) -> Error {
    let state = answer.first().map_or("nothing", String::as_str);
    Error::Unreadable(format!("{script} answered {state}"))
}
