//! Messages that QStash gave up and of which nobody was told: they carried no failure callback, or it got lost.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shared::edge::job::queue_stop;
use shared::edge::metrics::Figure;
use shared::protocol::qstash::{self, DeadLetter, DeadLetterFilter};
use shared::service::job::{Failed, GivenUp, Jobs, Stop};
use tokio::time::Instant;

/// How far back it looks: a day in which nobody could look is made up for.
const LOOKS_BACK: SignedDuration = SignedDuration::from_hours(24);

/// Compares the dead-letter queue with the records of jobs.
pub(crate) struct Undertaker<'a> {
    pub(crate) jobs: &'a Jobs,
    pub(crate) qstash: &'a qstash::Client,
}

/// What was found.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Buried {
    /// Dead letters that were looked at.
    letters: usize,
    /// Jobs that are marked dead now.
    dead: u64,
    /// Whether there are letters that the time did not suffice for.
    unfinished: bool,
}

impl Undertaker<'_> {
    /// Marks the jobs dead whose messages were given up within the last day, unless their records know better.
    pub(crate) async fn reconcile(&self, now: Timestamp, until: Instant) -> Result<Buried, Stop> {
        let filter = DeadLetterFilter {
            from: Some(now - LOOKS_BACK),
            ..DeadLetterFilter::default()
        };
        let (mut buried, mut cursor) = (Buried::default(), None);
        loop {
            let page = self.qstash.dead_letters(&filter, cursor.as_deref()).await;
            let page = page.map_err(|error| queue_stop(error.into(), "relay-outbox", now))?;
            buried.letters += page.items.len();
            let messages: Vec<GivenUp> = page.items.into_iter().filter_map(given_up).collect();
            let failed = self.jobs.bury_each(&messages).await.map_err(Stop::retry)?;
            buried.dead += failed.iter().filter(|it| **it == Failed::Dead).count() as u64;
            cursor = page.cursor;
            buried.unfinished = Instant::now() >= until;
            if cursor.is_none() || buried.unfinished {
                break;
            }
        }
        if buried.dead > 0 {
            Figure::DeadJobs(buried.dead).emit("relay-outbox", now);
            tracing::warn!(
                dead = buried.dead,
                "jobs marked dead: no failure callback arrived"
            );
        }
        Ok(buried)
    }
}

/// What is known of a message to the function of a job.
fn given_up(letter: DeadLetter) -> Option<GivenUp> {
    let message = GivenUp {
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
