//! The age of the oldest overdue job: one command for each type, while the statistics of a type need three.

use jiff::Timestamp;

use super::kind::JobType;
use super::{Error, keys};
use crate::protocol::upstash::{Command, Pairs, Pipeline, Redis};

pub(super) async fn oldest_pending_seconds(redis: &Redis, now: Timestamp) -> Result<u64, Error> {
    let pipeline = JobType::ALL.iter().fold(Pipeline::new(), |pipeline, job| {
        let oldest = Command::new("ZRANGE").arg(keys::OPEN.key(job.name()));
        pipeline.command(oldest.arg(0).arg(0).arg("WITHSCORES"))
    });
    let mut replies = redis.pipeline(pipeline).await?;
    let now = now.as_millisecond();
    let mut longest = 0;
    for _ in JobType::ALL {
        let Pairs(oldest) = replies.take::<Pairs<String, i64>>()?;
        let due = oldest.first().map_or(now, |(_, due)| *due);
        longest = longest.max((now - due) / 1000);
    }
    Ok(u64::try_from(longest).unwrap_or_default())
}
