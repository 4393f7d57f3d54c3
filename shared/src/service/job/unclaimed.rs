//! Jobs that nobody has come for: their messages may be lost, so they are published again.

use std::time::Duration;

use super::kind::{JobType, Priority};
use super::publisher::Outgoing;
use super::{Error, Jobs, keys, scripts};
use crate::base::id;
use crate::protocol::upstash::{FromReply as _, Invocation, Pipeline, Replies, Reply};

/// How long a job must have been due: longer than the queue knows deduplication ids (ten minutes), and than a full
/// queue makes most jobs wait. After it was published again, the wait is four times as long, and so on.
const PATIENCE: Duration = Duration::from_mins(15);

/// How many open jobs one call looks at: each is a billed command. What is behind them is seen when they are gone.
const LOOKED_AT: usize = 1000;

/// A job whose message may be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclaimed {
    /// The job.
    pub job_id: String,
    /// Its type.
    pub job: JobType,
    /// The generation that nobody has claimed.
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
    /// The ids of jobs that have been due for a quarter of an hour without a delivery. What is paused is left alone. One
    /// request.
    pub async fn unclaimed(&self) -> Result<Vec<String>, Error> {
        let mut replies = self.ask(LOOKED_AT, "", "").await?;
        let mut ids = Vec::new();
        for _ in JobType::ALL {
            ids.extend(replies.take::<Vec<String>>()?);
        }
        Ok(ids)
    }

    /// Those of these jobs that nobody has come for, `limit` of each type at the most. Each is noted as published again,
    /// so the caller has to publish it. One request.
    pub async fn take_unclaimed(
        &self,
        ids: &[String],
        limit: usize,
    ) -> Result<Vec<Unclaimed>, Error> {
        let named = format!(",{},", ids.join(","));
        let mut replies = self.ask(limit, &id::nonce(), &named).await?;
        let mut unclaimed = Vec::new();
        for job in JobType::ALL {
            for fields in replies.take::<Vec<Reply>>()? {
                unclaimed.push(read(*job, fields)?);
            }
        }
        Ok(unclaimed)
    }

    async fn ask(&self, limit: usize, nonce: &str, named: &str) -> Result<Replies, Error> {
        let calls = JobType::ALL
            .iter()
            .map(|job| asking(*job, limit, nonce, named));
        let pipeline = calls.fold(Pipeline::new(), Pipeline::script);
        Ok(self.redis.pipeline(pipeline).await?)
    }
}

fn asking(job: JobType, limit: usize, nonce: &str, named: &str) -> Invocation {
    let name = job.name();
    scripts::UNCLAIMED
        .invoke()
        .key(keys::JOB.key("-"))
        .key(keys::OPEN.key(name))
        .key(keys::STATS.key(name))
        .arg(keys::JOB.key(""))
        .arg(PATIENCE.as_millis())
        .arg(limit)
        .arg(LOOKED_AT)
        .arg(nonce)
        .arg(named)
}

fn read(job: JobType, fields: Reply) -> Result<Unclaimed, Error> {
    let Reply::Array(fields) = fields else {
        return Err(Error::Unreadable("unclaimed".into()));
    };
    let Ok([id, generation, priority, tenant, payload]) = <[Reply; 5]>::try_from(fields) else {
        return Err(Error::Unreadable("unclaimed".into()));
    };
    Ok(Unclaimed {
        job_id: String::from_reply(id)?,
        job,
        generation: u32::try_from(u64::from_reply(generation)?).unwrap_or(u32::MAX),
        priority: String::from_reply(priority)?.parse()?,
        tenant: String::from_reply(tenant)?,
        payload: String::from_reply(payload)?,
    })
}
