//! Failed messages without a processed failure callback: they carried none, or it was lost.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shared::edge::job::queue_stop;
use shared::edge::metrics::Figure;
use shared::protocol::qstash::{self, DeadLetter, DeadLetterFilter};
use shared::service::job::{Failed, FailedMessage, Jobs, Stop};
use tokio::time::Instant;

/// The period of dead letters that is examined. It covers an outage of a day.
const LOOKBACK: SignedDuration = SignedDuration::from_hours(24);

/// Compares the dead-letter queue with the records of jobs.
pub(crate) struct DeadLetterReconciler<'a> {
    pub(crate) jobs: &'a Jobs,
    pub(crate) qstash: &'a qstash::Client,
}

/// The result of a comparison.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reconciled {
    /// Examined dead letters.
    letters: usize,
    /// Jobs that are now marked as dead.
    dead: u64,
    /// Whether time ran out before all dead letters were examined.
    unfinished: bool,
}

impl DeadLetterReconciler<'_> {
    /// Marks the jobs of messages that failed within the last day as dead, unless their records have a newer state.
    pub(crate) async fn reconcile(
        &self,
        now: Timestamp,
        until: Instant,
    ) -> Result<Reconciled, Stop> {
        let filter = DeadLetterFilter {
            from: Some(now - LOOKBACK),
            ..DeadLetterFilter::default()
        };
        let (mut reconciled, mut cursor) = (Reconciled::default(), None);
        loop {
            let page = self.qstash.dead_letters(&filter, cursor.as_deref()).await;
            let page = page.map_err(|error| queue_stop(error.into(), "relay-outbox", now))?;
            reconciled.letters += page.items.len();
            let messages: Vec<FailedMessage> =
                page.items.into_iter().filter_map(failed_message).collect();
            let failed = self
                .jobs
                .mark_dead_each(&messages)
                .await
                .map_err(Stop::retry)?;
            reconciled.dead += failed.iter().filter(|it| **it == Failed::Dead).count() as u64;
            cursor = page.cursor;
            reconciled.unfinished = Instant::now() >= until;
            if cursor.is_none() || reconciled.unfinished {
                break;
            }
        }
        if reconciled.dead > 0 {
            Figure::DeadJobs(reconciled.dead).emit("relay-outbox", now);
            tracing::warn!(
                dead = reconciled.dead,
                "jobs marked dead: no failure callback arrived"
            );
        }
        Ok(reconciled)
    }
}

/// Returns a dead letter as a failed message, if its destination is the function of a job.
fn failed_message(letter: DeadLetter) -> Option<FailedMessage> {
    let message = FailedMessage {
        url: letter.message.url.parse().ok()?,
        status: letter.response_status.unwrap_or_default(),
        answer: letter.response_body().to_vec(),
        deliveries: letter
            .message
            .max_retries
            .unwrap_or_default()
            .saturating_add(1),
        body: letter.message.body.to_vec(),
        message_id: letter.message.message_id,
    };
    message.job().is_some().then_some(message)
}
