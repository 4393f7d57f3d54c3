//! The job's work: part by part, so that what a killed instance leaves undone is little.
//!
//! A part is written in one transaction, announced in one request, pushed, and noted as done. The next delivery of the
//! same job finds what is written and does only what is left.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::base::env;
use shared::edge::job::Attempt;
use shared::protocol::postgres::Postgres;
use shared::protocol::upstash::Redis;
use shared::service::notification::{
    Entry, Notification, NotificationResult, Notifications, WriteOutcome,
};
use tokio::time::Instant;

use crate::announce::announce;
use crate::outcome::{Error, Outcome};
use crate::push::{Pusher, Pushes};

/// Notifications that are written and announced together.
const PART: usize = 25;

/// What must be left of the time before another part is begun.
const TIME_FOR_A_PART: Duration = Duration::from_secs(8);

/// Deliveries after which a request that nobody knows is taken for one that there is not, and a push service that is
/// away is no longer waited for: with the plan's waits, most of a minute.
const PATIENT_ATTEMPTS: u32 = 3;

/// What an attempt leaves to the next one: what is before the cursor is settled, and so it stands in the result.
#[derive(Default, Deserialize, Serialize)]
struct Checkpoint {
    cursor: usize,
    outcome: Outcome,
}

/// Writes notifications and tells their users.
pub(crate) struct SendNotificationHandler {
    notifications: Notifications,
    redis: Redis,
    pusher: Option<Pusher>,
}

impl SendNotificationHandler {
    /// The database, the store and the push services that the environment names. Nothing is opened yet.
    pub(crate) fn from_env(redis: &Redis) -> Result<Self, env::Error> {
        Ok(Self {
            notifications: Notifications::new(Postgres::from_env()?),
            redis: redis.clone(),
            pusher: Pusher::from_env()?,
        })
    }

    /// Tells everything of a job that is not told yet, or says what stops it.
    pub(crate) async fn deliver(
        &self,
        attempt: &Attempt<'_>,
        notification: &Notification,
    ) -> Result<Outcome, Error> {
        let entries = notification.entries();
        let total = entries.len();
        let Checkpoint { cursor, outcome } = attempt.checkpoint();
        let (begin, mut outcome) = (cursor, outcome);
        let mut checkpoint = Checkpoint {
            cursor,
            outcome: outcome.clone(),
        };
        for (number, part) in entries.chunks(PART).enumerate() {
            let first = number * PART;
            if first + part.len() <= begin {
                continue;
            }
            if attempt.deadline().duration_since(Instant::now()) < TIME_FOR_A_PART {
                return Err(Error::OutOfTime {
                    notifications: total - first,
                    progressed: checkpoint.cursor > begin,
                    checkpoint: json!(checkpoint),
                });
            }
            self.part(attempt, first, part, &mut outcome).await?;
            if outcome.is_settled() {
                checkpoint = Checkpoint {
                    cursor: first + part.len(),
                    outcome: outcome.clone(),
                };
            }
            let done = (first + part.len()) as u64;
            attempt.progress(done, total as u64).await?;
        }
        outcome.settled(attempt.number() >= PATIENT_ATTEMPTS)
    }

    async fn part(
        &self,
        attempt: &Attempt<'_>,
        first: usize,
        entries: &[Entry],
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        let job_id = attempt.job_id();
        let results = self.notifications.write(job_id, first, entries).await?;
        announce(&self.redis, &results).await?;
        let pushes = match &self.pusher {
            Some(pusher) => pusher.push(&results, attempt.deadline()).await,
            None => Pushes::default(),
        };
        let places = places(&results);
        if !places.is_empty() {
            self.notifications
                .record_pushes(job_id, &places, &pushes.settled, &pushes.gone)
                .await?;
        }
        outcome.count(&results, &pushes);
        Ok(())
    }
}

/// The places of those that stand in an inbox.
fn places(results: &[NotificationResult]) -> Vec<i32> {
    let created = results
        .iter()
        .filter(|result| result.outcome == WriteOutcome::Created);
    created.map(|result| result.place).collect()
}
