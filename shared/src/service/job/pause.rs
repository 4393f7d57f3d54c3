//! The kill switch: a paused type of job, or one tenant's share of it, is neither enqueued nor run.
//!
//! A pause stands beside the type's counters, so that creating and claiming read it within their own script. Deliveries
//! of a paused job are put off without a retry being spent.

use std::time::Duration;

use super::kind::JobType;
use super::{Error, Jobs, keys};
use crate::protocol::upstash::Command;

/// How long a delivery is put off while its job is paused: also how late the last one goes on after the end of it.
pub const HELD_FOR: Duration = Duration::from_mins(5);

impl Jobs {
    /// Pauses a type of job, or one tenant's share of it, or ends the pause. Repeating it changes nothing.
    pub async fn pause(
        &self,
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
        self.redis.run::<i64>(command).await?;
        Ok(())
    }
}
