//! Jobs that are recorded and that nobody has come for: their messages may never have been published.

use jiff::Timestamp;
use shared::edge::job::queue_stop;
use shared::edge::metrics::Figure;
use shared::protocol::qstash::Refusal;
use shared::service::job::{Failed, Incoming, Outgoing, Stop, UNCLAIMED_AFTER, Unclaimed};
use shared::service::outbox::jobs::Courier;

/// Jobs of each type that one sweep publishes again at the most; the next sweep finds the others.
const MOST: usize = 100;

/// Publishes them again, under the same deduplication ids, and says how many there were. A job whose message the queue
/// rejects goes dead with the reason: publishing it again would be refused for ever.
pub(crate) async fn republish(courier: &Courier, now: Timestamp) -> Result<usize, Stop> {
    let oldest = courier.jobs.oldest_pending_seconds(now).await;
    if oldest.map_err(Stop::retry)? < UNCLAIMED_AFTER.as_secs() {
        return Ok(0);
    }
    let lost = courier.jobs.unclaimed(MOST).await.map_err(Stop::retry)?;
    let outgoing: Vec<Outgoing<'_>> = lost.iter().map(Unclaimed::outgoing).collect();
    let outcomes = courier.publisher.publish_each(&outgoing).await;
    let outcomes = outcomes.map_err(|error| queue_stop(error, "relay-outbox", now))?;
    let (mut republished, mut dead) = (0, 0);
    for (job, outcome) in lost.iter().zip(outcomes) {
        match outcome {
            Ok(()) => republished += 1,
            Err(refusal) => dead += u64::from(reject(courier, job, &refusal).await?),
        }
    }
    if dead > 0 {
        Figure::DeadJobs(dead).emit("relay-outbox", now);
    }
    if republished > 0 {
        tracing::warn!(republished, "nobody had come for these jobs");
    }
    Ok(republished)
}

/// Marks a job dead whose message the queue rejects. False if its record knows better.
async fn reject(courier: &Courier, job: &Unclaimed, refusal: &Refusal) -> Result<bool, Stop> {
    tracing::error!(job_id = job.job_id, %refusal, "QStash rejected the job; its message is wrong");
    let incoming = Incoming {
        job_id: &job.job_id,
        job: job.job,
        message_id: "-",
        generation: job.generation,
        payload: &job.payload,
    };
    let failed = courier.jobs.fail(incoming, &refusal.to_string()).await;
    Ok(failed.map_err(Stop::retry)? == Failed::Dead)
}
