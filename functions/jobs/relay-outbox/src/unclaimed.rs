//! Jobs that are recorded and that nobody has come for: their messages may never have been published.

use shared::service::job::{Outgoing, Stop, Unclaimed};
use shared::service::outbox::jobs::Courier;

/// Jobs of each type that one sweep publishes again at the most; the next sweep finds the others.
const MOST: usize = 100;

/// Publishes them again, under the same deduplication ids, and says how many there were.
pub(crate) async fn republish(courier: &Courier) -> Result<usize, Stop> {
    let lost = courier.jobs.unclaimed(MOST).await;
    let lost = lost.map_err(Stop::retry)?;
    let outgoing: Vec<Outgoing<'_>> = lost.iter().map(Unclaimed::outgoing).collect();
    let outcomes = courier.publisher.publish_each(&outgoing).await;
    let mut republished = 0;
    for (job, outcome) in lost.iter().zip(outcomes.map_err(Stop::retry)?) {
        match outcome {
            Ok(()) => republished += 1,
            Err(refusal) => tracing::error!(job_id = job.job_id, %refusal, "not republished"),
        }
    }
    if republished > 0 {
        tracing::warn!(republished, "nobody had come for these jobs");
    }
    Ok(republished)
}
