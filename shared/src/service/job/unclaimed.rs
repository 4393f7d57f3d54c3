//! Unclaimed jobs: their messages may be lost, so they are published again.

use std::time::Duration;

use super::kind::{JobType, Priority};
use super::publisher::Outgoing;
use super::{Error, keys, scripts};
use crate::base::id;
use crate::protocol::upstash::{FromReply as _, Invocation, Pipeline, Redis, Replies, Reply};

/// How long a job must have been due: longer than the queue keeps deduplication ids (ten minutes), and longer than most
/// jobs wait in a full queue. After each republication, the time is four times as long.
pub const UNCLAIMED_AFTER: Duration = Duration::from_mins(15);

/// The number of open jobs that one script reads in less than a millisecond.
const PAGE: usize = 150;

/// The number of pages that are read. Later pages are read once the earlier jobs are done.
const PAGES: usize = 10;

/// The number of jobs of each type after which no further page is read; the next sweep finds the others.
const MAX_ITEMS: usize = 100;

/// The number of jobs that one script returns completely and records as published again.
const BATCH: usize = 20;

/// The payload bytes in one answer: the store's limit is ten megabytes, and JSON may double them.
const ANSWER_BYTES: usize = 4 << 20;

/// An overdue job without a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// Its type.
    pub job: JobType,
    /// Its id.
    pub id: String,
    bytes: usize,
}

impl Overdue {
    /// Splits jobs into parts whose payloads together fit one answer, in order.
    #[must_use]
    pub fn parts(overdue: &[Self]) -> Vec<&[Self]> {
        let mut bytes = 0;
        let fits = |_: &Self, next: &Self| {
            bytes += next.bytes;
            if bytes > ANSWER_BYTES {
                bytes = 0;
            }
            bytes > 0
        };
        overdue.chunk_by(fits).collect()
    }
}

/// A job whose message may be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclaimed {
    /// The job.
    pub job_id: String,
    /// Its type.
    pub job: JobType,
    /// The generation that no delivery has claimed.
    pub generation: u32,
    /// Its priority.
    pub priority: Priority,
    /// The tenant whose flow control applies.
    pub tenant: String,
    /// The payload, a JSON object.
    pub payload: String,
}

impl Unclaimed {
    /// Returns the message that the job waits for. It is due.
    #[must_use]
    pub fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            job_id: &self.job_id,
            job: self.job,
            generation: self.generation,
            priority: self.priority,
            tenant: &self.tenant,
            not_before: None,
            payload: &self.payload,
        }
    }
}

pub(super) async fn unclaimed(redis: &Redis) -> Result<Vec<Overdue>, Error> {
    let mut found = Vec::new();
    let mut pages: Vec<(JobType, u64)> = JobType::ALL.iter().map(|job| (*job, 0)).collect();
    for _ in 0..PAGES {
        if pages.is_empty() {
            break;
        }
        let calls = pages.iter().map(|(job, first)| page(*job, *first));
        let mut replies = ask(redis, calls).await?;
        let mut next = Vec::new();
        for (job, _) in pages {
            let (first, overdue) = read_page(job, replies.take()?)?;
            let enough = overdue.len() >= MAX_ITEMS;
            found.extend(overdue);
            next.extend(first.filter(|_| !enough).map(|first| (job, first)));
        }
        pages = next;
    }
    Ok(found)
}

pub(super) async fn take_unclaimed(
    redis: &Redis,
    overdue: &[Overdue],
) -> Result<Vec<Unclaimed>, Error> {
    let nonce = id::nonce();
    let mut kinds = Vec::new();
    let mut calls = Vec::new();
    for job in JobType::ALL {
        let ids = overdue.iter().filter(|it| it.job == *job);
        let ids: Vec<&str> = ids.map(|it| it.id.as_str()).collect();
        for ids in ids.chunks(BATCH) {
            kinds.push(*job);
            calls.push(taking(*job, &nonce, ids));
        }
    }
    let mut replies = ask(redis, calls.into_iter()).await?;
    let mut unclaimed = Vec::new();
    for job in kinds {
        for fields in replies.take::<Vec<Reply>>()? {
            unclaimed.push(read(job, fields)?);
        }
    }
    Ok(unclaimed)
}

async fn ask(redis: &Redis, calls: impl Iterator<Item = Invocation>) -> Result<Replies, Error> {
    let pipeline = calls.fold(Pipeline::new(), Pipeline::script);
    Ok(redis.pipeline(pipeline).await?)
}

fn page(job: JobType, first: u64) -> Invocation {
    let name = job.name();
    scripts::UNCLAIMED
        .invoke()
        .key(keys::JOB.key("-"))
        .key(keys::OPEN.key(name))
        .key(keys::STATS.key(name))
        .arg(keys::JOB.key(""))
        .arg(UNCLAIMED_AFTER.as_millis())
        .arg(first)
        .arg(PAGE)
}

fn taking(job: JobType, nonce: &str, ids: &[&str]) -> Invocation {
    let name = job.name();
    let mut call = scripts::REPUBLISH
        .invoke()
        .key(keys::JOB.key("-"))
        .key(keys::OPEN.key(name))
        .key(keys::STATS.key(name))
        .arg(nonce);
    for id in ids {
        call = call.key(keys::JOB.key(id)).arg(*id);
    }
    call
}

/// Returns the start of the next page, if there is one, and the jobs of this page.
fn read_page(job: JobType, page: Vec<Reply>) -> Result<(Option<u64>, Vec<Overdue>), Error> {
    let mut page = page.into_iter();
    let next = page.next().ok_or_else(unreadable)?;
    let next = u64::try_from(i64::from_reply(next)?).ok();
    let overdue = page.map(|fields| {
        let [id, bytes] = array(fields)?;
        Ok(Overdue {
            job,
            id: String::from_reply(id)?,
            bytes: usize::try_from(u64::from_reply(bytes)?).unwrap_or(usize::MAX),
        })
    });
    Ok((next, overdue.collect::<Result<_, Error>>()?))
}

fn unreadable() -> Error {
    Error::Unreadable("unclaimed".into())
}

fn array<const N: usize>(fields: Reply) -> Result<[Reply; N], Error> {
    let Reply::Array(fields) = fields else {
        return Err(unreadable());
    };
    <[Reply; N]>::try_from(fields).map_err(|_| unreadable())
}

fn read(job: JobType, fields: Reply) -> Result<Unclaimed, Error> {
    let [id, generation, priority, tenant, payload] = array(fields)?;
    Ok(Unclaimed {
        job_id: String::from_reply(id)?,
        job,
        generation: u32::try_from(u64::from_reply(generation)?).unwrap_or(u32::MAX),
        priority: String::from_reply(priority)?.parse()?,
        tenant: String::from_reply(tenant)?,
        payload: String::from_reply(payload)?,
    })
}
