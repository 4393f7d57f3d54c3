//! The job's work, part by part, so that a killed instance leaves little undone.
//!
//! A part is written in one transaction, published in one request, pushed, and recorded as done. The next delivery of
//! the same job finds the written rows and does only the rest.

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

/// Notifications that are written and published together.
const PART: usize = 25;

/// The time required before another part starts.
const TIME_FOR_A_PART: Duration = Duration::from_secs(8);

/// The attempts after which an unknown request counts as missing, and an unavailable push service is no longer waited
/// for. With the plan's waits, this takes most of a minute.
const PATIENT_ATTEMPTS: u32 = 3;

/// The checkpoint for the next attempt: the notifications before the cursor are settled and counted in the result.
#[derive(Default, Deserialize, Serialize)]
struct Checkpoint {
    cursor: usize,
    outcome: Outcome,
}

/// Writes notifications and sends them to their users.
pub(crate) struct SendNotificationHandler {
    notifications: Notifications,
    redis: Redis,
    pusher: Option<Pusher>,
}

impl SendNotificationHandler {
    /// Reads the database, the store and the push services from the environment. No connection is opened yet.
    pub(crate) fn from_env(redis: &Redis) -> Result<Self, env::Error> {
        Ok(Self {
            notifications: Notifications::new(Postgres::from_env()?),
            redis: redis.clone(),
            pusher: Pusher::from_env()?,
        })
    }

    /// Sends every unsent notification of a job. Errors with the reason if it stops earlier.
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

/// Returns the indices of the notifications that are in an inbox.
fn places(results: &[NotificationResult]) -> Vec<i32> {
    let created = results
        .iter()
        .filter(|result| result.outcome == WriteOutcome::Created);
    created.map(|result| result.place).collect()
}
