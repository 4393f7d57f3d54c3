//! Operations on many jobs: searching by filter, and counting the statuses of a batch.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::kind::JobType;
use super::record::Status;
use super::viewer::Viewer;
use super::{Error, keys, scripts};
use crate::protocol::upstash::{FromReply as _, Pairs, Redis, Reply};

/// The number of set members that one script reads.
const PART: usize = 100;

/// The number of members that one search reads: each is a billed command.
const MAX_SCANNED: usize = 10_000;

/// A filter: jobs match every member that is set.
#[derive(Clone, Copy, Debug)]
pub struct BulkFilter<'a> {
    /// Only this type.
    pub job: Option<JobType>,
    /// Dead jobs, or waiting ones: queued, deferred, or failed with a retry ahead.
    pub dead: bool,
    /// Only those whose error contains this.
    pub error: &'a str,
    /// Only this label, such as a batch id.
    pub label: &'a str,
    /// Only this tenant.
    pub tenant: &'a str,
    /// Only jobs that died, or were due, at this instant or later.
    pub from: Option<Timestamp>,
    /// Only jobs that the caller may see.
    pub viewer: Viewer<'a>,
}

/// The result of a search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkMatches {
    /// The ids, newest first for each type.
    pub ids: Vec<String>,
    /// Whether there may be more: a search reads at most 10,000 jobs.
    pub more: bool,
}

/// The number of jobs of a batch in each status. `gone` counts expired records.
pub type StatusCounts = BTreeMap<String, u64>;

pub(super) async fn find(redis: &Redis, filter: &BulkFilter<'_>) -> Result<BulkMatches, Error> {
    let types = filter.job.map_or(JobType::ALL.to_vec(), |job| vec![job]);
    let mut found = BulkMatches::default();
    let mut left = MAX_SCANNED;
    for job in types {
        let mut position = 0;
        loop {
            if left == 0 {
                found.more = true;
                return Ok(found);
            }
            let part = PART.min(left);
            let (scanned, ids) = matching(redis, filter, job, position, part).await?;
            found.ids.extend(ids);
            left -= scanned.min(left);
            position += scanned;
            if scanned < part {
                break;
            }
        }
    }
    Ok(found)
}

async fn matching(
    redis: &Redis,
    filter: &BulkFilter<'_>,
    job: JobType,
    position: usize,
    part: usize,
) -> Result<(usize, Vec<String>), Error> {
    let set = if filter.dead {
        &keys::DEAD
    } else {
        &keys::OPEN
    };
    let statuses: &[Status] = if filter.dead {
        &[Status::Dead]
    } else {
        &[Status::Queued, Status::Deferred, Status::Failed]
    };
    let statuses: Vec<&str> = statuses.iter().map(|status| status.name()).collect();
    let from = filter.from.map_or_else(
        || "-inf".to_owned(),
        |from| from.as_millisecond().to_string(),
    );
    let call = scripts::MATCHING
        .invoke()
        .key(set.key(job.name()))
        .arg(keys::JOB.key(""))
        .arg(part)
        .arg(from)
        .arg(position)
        .arg(filter.error)
        .arg(filter.label)
        .arg(filter.tenant)
        .arg(filter.viewer.tenant.unwrap_or_default())
        .arg(filter.viewer.user.unwrap_or_default())
        .arg(format!(",{},", statuses.join(",")));
    let answer: Vec<Reply> = redis.eval(call).await?;
    let Ok([scanned, ids]) = <[Reply; 2]>::try_from(answer) else {
        return Err(Error::Unreadable("matching".into()));
    };
    let scanned = usize::try_from(u64::from_reply(scanned)?).unwrap_or(usize::MAX);
    Ok((scanned, Vec::from_reply(ids)?))
}

pub(super) async fn batch(
    redis: &Redis,
    label: &str,
    viewer: Viewer<'_>,
) -> Result<StatusCounts, Error> {
    let call = scripts::BATCH
        .invoke()
        .key(keys::BATCH.key(label))
        .arg(keys::JOB.key(""))
        .arg(viewer.tenant.unwrap_or_default())
        .arg(viewer.user.unwrap_or_default());
    let Pairs(counts) = redis.eval::<Pairs<String, u64>>(call).await?;
    Ok(counts.into_iter().collect())
}
