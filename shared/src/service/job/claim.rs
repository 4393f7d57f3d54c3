//! Claiming a job for one delivery.

use std::time::Duration;

use super::create::{LIST_CAP, life};
use super::kind::{JobType, Priority};
use super::{Error, keys, scripts};
use crate::base::id;
use crate::protocol::upstash::{FromReply as _, Redis, Reply};

/// The life of `job_message:{messageId}`: a day longer than a message can be retried and looked up.
pub(super) const MESSAGE_LIFE: Duration = Duration::from_hours(8 * 24);

/// A delivery that claims a job.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// The job.
    pub job_id: &'a str,
    /// Its type.
    pub job: JobType,
    /// The id of its message.
    pub message_id: &'a str,
    /// The message's generation, from 1.
    pub generation: u32,
    /// The raw payload, for a job without a record.
    pub payload: &'a str,
}

/// The right to run a job. Commits and progress are checked against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The job.
    pub job_id: String,
    /// Its type.
    pub job: JobType,
    /// The fence. It grows with each claim; only the holder of the newest may write.
    pub fence: u64,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The number of attempts that ended in a panic.
    pub panics: u32,
    /// The job's priority.
    pub priority: Priority,
    /// The job's tenant.
    pub tenant: String,
    /// The acting user of the job; empty for the service itself.
    pub user: String,
    /// The generation of the claimed message.
    pub generation: u32,
    /// Whether the job's type or tenant is paused: the job has to be deferred, not run.
    pub paused: bool,
    pub(super) nonce: String,
}

/// The result of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// This delivery has claimed the job.
    Run(Claim),
    /// Another delivery holds the lease, for at most this long.
    Busy(Duration),
    /// The job has ended: completed or cancelled.
    Over,
    /// A newer message of this job exists.
    Superseded,
    /// The id belongs to a job of another type: nothing was changed.
    Foreign,
}

pub(super) async fn claim(redis: &Redis, incoming: Incoming<'_>) -> Result<Claimed, Error> {
    let name = incoming.job.name();
    let nonce = id::nonce();
    let call = scripts::CLAIM
        .invoke()
        .key(keys::JOB.key(incoming.job_id))
        .key(keys::OPEN.key(name))
        .key(keys::STATS.key(name))
        .key(keys::LIST.key(name))
        .key(keys::MESSAGE.key(incoming.message_id))
        .key(keys::DEAD.key(name))
        .arg(&nonce)
        .arg(incoming.job.plan().lease.as_millis())
        .arg(incoming.message_id)
        .arg(incoming.job_id)
        .arg(name)
        .arg(incoming.generation)
        .arg(incoming.payload)
        .arg(life(incoming.job.plan()))
        .arg(LIST_CAP)
        .arg(MESSAGE_LIFE.as_millis());
    read(&redis.eval::<Vec<Reply>>(call).await?, incoming, nonce)
}

fn read(answer: &[Reply], incoming: Incoming<'_>, nonce: String) -> Result<Claimed, Error> {
    let unreadable = || Error::Unreadable(format!("claim answered {answer:?}"));
    let number = |place: usize| match answer.get(place) {
        Some(Reply::Integer(value)) => u64::try_from(*value).map_err(|_| unreadable()),
        _ => Err(unreadable()),
    };
    let text = |place: usize| {
        let reply = answer.get(place).cloned().unwrap_or(Reply::Nil);
        String::from_reply(reply).map_err(Error::Record)
    };
    let small = |place| u32::try_from(number(place)?).map_err(|_| unreadable());
    match answer.first() {
        Some(Reply::Bytes(state)) => match state.as_slice() {
            b"run" => Ok(Claimed::Run(Claim {
                job_id: incoming.job_id.to_owned(),
                job: incoming.job,
                fence: number(1)?,
                attempt: small(2)?,
                panics: small(3)?,
                priority: text(4)?.parse()?,
                tenant: text(5)?,
                user: text(7)?,
                generation: incoming.generation,
                paused: number(6)? == 1,
                nonce,
            })),
            b"busy" => Ok(Claimed::Busy(Duration::from_millis(number(1)?))),
            b"over" => Ok(Claimed::Over),
            b"superseded" => Ok(Claimed::Superseded),
            b"foreign" => Ok(Claimed::Foreign),
            _ => Err(unreadable()),
        },
        _ => Err(unreadable()),
    }
}
