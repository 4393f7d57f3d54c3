//! Many jobs at once: which ones are meant, and where those of a batch are.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::kind::JobType;
use super::record::Status;
use super::viewer::Viewer;
use super::{Error, Jobs, keys, scripts};
use crate::protocol::upstash::{FromReply as _, Pairs, Reply};

/// Members of a set that one script looks at.
const PART: usize = 100;

/// Members that one search looks at: each is a billed command.
const MAX_SCANNED: usize = 10_000;

/// Which jobs are meant: those that match every member that is set.
#[derive(Clone, Copy, Debug)]
pub struct BulkFilter<'a> {
    /// Only this type.
    pub job: Option<JobType>,
    /// The dead ones, or those that wait: queued, deferred, or failed and to be tried again.
    pub dead: bool,
    /// Only those whose error contains this.
    pub error: &'a str,
    /// Only this label, such as a batch id.
    pub label: &'a str,
    /// Only this tenant's.
    pub tenant: &'a str,
    /// Only those that died, or were due, at this instant or later.
    pub from: Option<Timestamp>,
    /// Only what the caller may see.
    pub viewer: Viewer<'a>,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkMatches {
    /// The ids, of each type the newest first.
    pub ids: Vec<String>,
    /// Whether there may be others: no more than 10,000 jobs are looked at.
    pub more: bool,
}

/// Where the jobs of a batch are: how many have each status. `gone` are those whose records have run out.
pub type StatusCounts = BTreeMap<String, u64>;

impl Jobs {
    /// Finds jobs.
    pub async fn find(&self, filter: &BulkFilter<'_>) -> Result<BulkMatches, Error> {
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
                let (scanned, ids) = self.part(filter, job, position, part).await?;
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

    async fn part(
        &self,
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
        let answer: Vec<Reply> = self.redis.eval(call).await?;
        let Ok([scanned, ids]) = <[Reply; 2]>::try_from(answer) else {
            return Err(Error::Unreadable("matching".into()));
        };
        let scanned = usize::try_from(u64::from_reply(scanned)?).unwrap_or(usize::MAX);
        Ok((scanned, Vec::from_reply(ids)?))
    }

    /// Where the jobs with a label are, as far as they are within sight; empty if there are none.
    pub async fn batch(&self, label: &str, viewer: Viewer<'_>) -> Result<StatusCounts, Error> {
        let call = scripts::BATCH
            .invoke()
            .key(keys::BATCH.key(label))
            .arg(keys::JOB.key(""))
            .arg(viewer.tenant.unwrap_or_default())
            .arg(viewer.user.unwrap_or_default());
        let Pairs(counts) = self.redis.eval::<Pairs<String, u64>>(call).await?;
        Ok(counts.into_iter().collect())
    }
}
