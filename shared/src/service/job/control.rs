//! Controlling jobs: cancel, redrive, and mark dead.

use std::time::Duration;

use jiff::Timestamp;

use super::claim::{Incoming, MESSAGE_LIFE};
use super::create::{LIST_CAP, instant, life};
use super::kind::JobType;
use super::read::job;
use super::record::{Job, Status};
use super::viewer::Viewer;
use super::{Error, keys, scripts};
use crate::base::id as ids;
use crate::protocol::upstash::{FromReply as _, Invocation, Pipeline, Redis, Reply, Script};

/// The result of cancelling a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Cancelled {
    /// The job will not run.
    Done(Box<Job>),
    /// Why it was not cancelled.
    Refused(Refusal),
}

/// The result of redriving a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Redriven {
    /// The record is ready for a message of this generation.
    Ready {
        /// The generation to publish.
        generation: u32,
        /// The original payload.
        payload: String,
        /// The instant before which it must not run, if a requested delay has not passed.
        not_before: Option<Timestamp>,
        /// The job, queued.
        job: Box<Job>,
    },
    /// Why it cannot be redriven.
    Refused(Refusal),
}

/// Why a job cannot be controlled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The job does not exist, or the caller may not see it.
    Unknown,
    /// No function runs jobs of its type.
    Foreign,
    /// Its status does not allow it: it is running, has ended, or its payload was deleted.
    Status(Status),
}

/// Result of a failure callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The job is marked dead.
    Dead,
    /// The record is not changed: the job has ended, a newer message exists, the callback was already handled, or the
    /// job has another type than the message.
    Kept,
    /// An attempt still holds the lease, for at most this long.
    Busy(Duration),
}

pub(super) async fn cancel(
    redis: &Redis,
    id: &str,
    viewer: Viewer<'_>,
) -> Result<Cancelled, Error> {
    let call = control_call(&scripts::CANCEL, id, viewer);
    cancelled(redis.eval(call).await?)
}

pub(super) async fn cancel_each(
    redis: &Redis,
    ids: &[String],
    viewer: Viewer<'_>,
) -> Result<Vec<Cancelled>, Error> {
    let calls = ids
        .iter()
        .map(|id| control_call(&scripts::CANCEL, id, viewer));
    let mut replies = redis
        .pipeline(calls.fold(Pipeline::new(), Pipeline::script))
        .await?;
    ids.iter().map(|_| cancelled(replies.take()?)).collect()
}

pub(super) async fn redrive(
    redis: &Redis,
    id: &str,
    viewer: Viewer<'_>,
) -> Result<Redriven, Error> {
    redriven(redis.eval(redrive_call(id, viewer)).await?)
}

pub(super) async fn redrive_each(
    redis: &Redis,
    ids: &[String],
    viewer: Viewer<'_>,
) -> Result<Vec<Redriven>, Error> {
    let calls = ids.iter().map(|id| redrive_call(id, viewer));
    let mut replies = redis
        .pipeline(calls.fold(Pipeline::new(), Pipeline::script))
        .await?;
    ids.iter().map(|_| redriven(replies.take()?)).collect()
}

pub(super) async fn fail(
    redis: &Redis,
    incoming: Incoming<'_>,
    error: &str,
) -> Result<Failed, Error> {
    let call = fail_call(incoming, error, false);
    failed(&redis.eval::<Vec<Reply>>(call).await?)
}

/// Marks jobs dead because QStash gave up their messages; each message counts once. One request; the answers are in
/// order.
pub(super) async fn fail_each(
    redis: &Redis,
    jobs: impl ExactSizeIterator<Item = (Incoming<'_>, &str)>,
) -> Result<Vec<Failed>, Error> {
    let count = jobs.len();
    if count == 0 {
        return Ok(Vec::new());
    }
    let calls = jobs.map(|(incoming, error)| fail_call(incoming, error, true));
    let pipeline = calls.fold(Pipeline::new(), Pipeline::script);
    let mut replies = redis.pipeline(pipeline).await?;
    (0..count)
        .map(|_| failed(&replies.take::<Vec<Reply>>()?))
        .collect()
}

fn fail_call(incoming: Incoming<'_>, error: &str, is_reported_by_queue: bool) -> Invocation {
    let name = incoming.job.name();
    scripts::FAIL
        .invoke()
        .key(keys::JOB.key(incoming.job_id))
        .key(keys::OPEN.key(name))
        .key(keys::STATS.key(name))
        .key(keys::LIST.key(name))
        .key(keys::MESSAGE.key(incoming.message_id))
        .key(keys::DEAD.key(name))
        .arg(incoming.job_id)
        .arg(name)
        .arg(incoming.generation)
        .arg(error)
        .arg(incoming.payload)
        .arg(LIST_CAP)
        .arg(incoming.message_id)
        .arg(MESSAGE_LIFE.as_millis())
        .arg(ids::nonce())
        .arg(if is_reported_by_queue { "1" } else { "" })
}

fn failed(answer: &[Reply]) -> Result<Failed, Error> {
    match answer {
        [Reply::Bytes(state)] if state == b"dead" => Ok(Failed::Dead),
        [Reply::Bytes(state), _] if state == b"kept" => Ok(Failed::Kept),
        [Reply::Bytes(state), Reply::Integer(ms)] if state == b"busy" => Ok(Failed::Busy(
            Duration::from_millis(u64::try_from(*ms).unwrap_or_default()),
        )),
        _ => Err(Error::Unreadable(format!("fail answered {answer:?}"))),
    }
}

/// Returns the call of a script that looks the job up itself.
fn control_call(script: &'static Script, id: &str, viewer: Viewer<'_>) -> Invocation {
    let types: Vec<&str> = JobType::ALL.iter().map(|job| job.name()).collect();
    script
        .invoke()
        .key(keys::JOB.key(id))
        .key(keys::MESSAGE.key(id))
        .arg(id)
        .arg(keys::JOB.key(""))
        .arg(keys::OPEN.key(""))
        .arg(keys::STATS.key(""))
        .arg(viewer.tenant.unwrap_or_default())
        .arg(viewer.user.unwrap_or_default())
        .arg(format!(",{},", types.join(",")))
        .arg(ids::nonce())
        .arg(keys::DEAD.key(""))
}

fn redrive_call(id: &str, viewer: Viewer<'_>) -> Invocation {
    // The life of a record depends on its type, which only the script knows; the longest is used for all.
    let life = JobType::ALL.iter().map(|job| life(job.plan())).max();
    control_call(&scripts::REDRIVE, id, viewer).arg(life.unwrap_or_default())
}

fn redriven(answer: Vec<Reply>) -> Result<Redriven, Error> {
    if let Some(refusal) = refusal(&answer)? {
        return Ok(Redriven::Refused(refusal));
    }
    let Ok([_, generation, payload, record, not_before]) = <[Reply; 5]>::try_from(answer) else {
        return Err(Error::Unreadable("redrive".into()));
    };
    Ok(Redriven::Ready {
        generation: u32::try_from(u64::from_reply(generation)?).unwrap_or(u32::MAX),
        payload: String::from_reply(payload)?,
        not_before: instant(&String::from_reply(not_before)?)?,
        job: Box::new(job(Vec::from_reply(record)?)?),
    })
}

fn cancelled(answer: Vec<Reply>) -> Result<Cancelled, Error> {
    if let Some(refusal) = refusal(&answer)? {
        return Ok(Cancelled::Refused(refusal));
    }
    let Ok([_, record]) = <[Reply; 2]>::try_from(answer) else {
        return Err(Error::Unreadable("cancel".into()));
    };
    Ok(Cancelled::Done(Box::new(job(Vec::from_reply(record)?)?)))
}

/// Returns the refusal of a script, if there is one.
fn refusal(answer: &[Reply]) -> Result<Option<Refusal>, Error> {
    match answer {
        [Reply::Bytes(word)] if word == b"unknown" => Ok(Some(Refusal::Unknown)),
        [Reply::Bytes(word)] if word == b"foreign" => Ok(Some(Refusal::Foreign)),
        [Reply::Bytes(word), status] if word == b"refused" => {
            let status = String::from_reply(status.clone())?.parse()?;
            Ok(Some(Refusal::Status(status)))
        }
        _ => Ok(None),
    }
}
