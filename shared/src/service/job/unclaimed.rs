//! Jobs for which no delivery has come: their messages may be lost, so they are published again.

use std::time::Duration;

use super::kind::{JobType, Priority};
use super::publisher::Outgoing;
use super::{Error, Jobs, keys, scripts};
use crate::base::id;
use crate::protocol::upstash::{FromReply as _, Invocation, Pipeline, Replies, Reply};

/// How long a job must have been due: longer than the queue knows deduplication ids (ten minutes), and than a full
/// queue makes most jobs wait. After it was published again, the wait is four times as long, and so on.
pub const UNCLAIMED_AFTER: Duration = Duration::from_mins(15);

/// How many open jobs one script looks at: as many as it can in less than a millisecond.
const PAGE: usize = 150;

/// How many pages are looked at. What is behind them is seen when they are gone.
const PAGES: usize = 10;

/// Jobs of each type after which no further page is looked at; the next sweep finds the others.
const MAX_ITEMS: usize = 100;

/// How many jobs one script gives whole and notes as published again.
const BATCH: usize = 20;

/// Bytes of payloads that are given at once: an answer of the store is ten megabytes at the most, and written as JSON they
/// may be twice as many.
const ANSWER_BYTES: usize = 4 << 20;

/// A job that has been due for long without a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// Its type.
    pub job: JobType,
    /// Its id.
    pub id: String,
    bytes: usize,
}

impl Overdue {
    /// Cuts jobs into parts whose payloads together are as large as one answer may be, in their order.
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
    /// How urgent it is.
    pub priority: Priority,
    /// Whose flow control holds it back.
    pub tenant: String,
    /// The payload, a JSON object.
    pub payload: String,
}

impl Unclaimed {
    /// The message that the job waits for. It is due.
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

impl Jobs {
    /// Jobs that have been due for a quarter of an hour without a delivery, a hundred of each type and some more at the
    /// most. What is paused is left alone. One request for every 150 open jobs that are overdue, ten at the most.
    pub async fn unclaimed(&self) -> Result<Vec<Overdue>, Error> {
        let mut found = Vec::new();
        let mut pages: Vec<(JobType, u64)> = JobType::ALL.iter().map(|job| (*job, 0)).collect();
        for _ in 0..PAGES {
            if pages.is_empty() {
                break;
            }
            let calls = pages.iter().map(|(job, first)| page(*job, *first));
            let mut replies = self.ask(calls).await?;
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

    /// Those of these jobs that still wait, whole. Each is noted as published again, so the caller has to publish it. One
    /// request.
    pub async fn take_unclaimed(&self, overdue: &[Overdue]) -> Result<Vec<Unclaimed>, Error> {
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
        let mut replies = self.ask(calls.into_iter()).await?;
        let mut unclaimed = Vec::new();
        for job in kinds {
            for fields in replies.take::<Vec<Reply>>()? {
                unclaimed.push(read(job, fields)?);
            }
        }
        Ok(unclaimed)
    }

    async fn ask(&self, calls: impl Iterator<Item = Invocation>) -> Result<Replies, Error> {
        let pipeline = calls.fold(Pipeline::new(), Pipeline::script);
        Ok(self.redis.pipeline(pipeline).await?)
    }
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

/// Where the next page begins, if there is one, and the jobs of this page.
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
