//! The kill switch: a paused type of job, or one tenant's jobs of it, is neither enqueued nor run.
//!
//! A pause is stored with the type's counters, so that creating and claiming read it in their own script. Deliveries of
//! a paused job are deferred without spending a retry.

use std::time::Duration;

use super::kind::JobType;
use super::{Error, keys};
use crate::protocol::upstash::{Command, Redis};

/// How long a delivery is deferred while its job is paused. It is also the longest delay after the end of the pause.
pub const HELD_FOR: Duration = Duration::from_mins(5);

pub(super) async fn pause(
    redis: &Redis,
    job: JobType,
    tenant: Option<&str>,
    paused: bool,
) -> Result<(), Error> {
    let field = tenant.map_or_else(|| "paused".to_owned(), |tenant| format!("paused:{tenant}"));
    let key = keys::STATS.key(job.name());
    let command = if paused {
        Command::new("HSET").arg(key).arg(field).arg(1)
    } else {
        Command::new("HDEL").arg(key).arg(field)
    };
    redis.run::<i64>(command).await?;
    Ok(())
}
