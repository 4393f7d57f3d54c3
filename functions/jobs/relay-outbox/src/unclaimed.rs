//! Recorded jobs without a delivery: their messages may never have been published.

use jiff::Timestamp;
use shared::edge::job::queue_stop;
use shared::edge::metrics::Figure;
use shared::service::job::{
    Delivery, Failed, Incoming, Outgoing, Overdue, Stop, UNCLAIMED_AFTER, Unclaimed,
};
use shared::service::outbox::Outbox;
use shared::service::outbox::job_relay::JobRelay;

/// Republishes such jobs under the same deduplication ids. Returns how many there were.
///
/// A job whose outbox row is not finished is published through that row: it may wait behind another of its order. A job
/// whose message the queue rejects is marked as dead with the reason: the queue would reject it every time.
pub(crate) async fn republish(
    outbox: &Outbox,
    job_relay: &JobRelay,
    now: Timestamp,
) -> Result<usize, Stop> {
    let overdue = overdue(outbox, job_relay, now).await?;
    let mut republished = 0;
    for part in Overdue::parts(&overdue) {
        republished += republish_part(job_relay, part, now).await?;
    }
    if republished > 0 {
        tracing::warn!(republished, "republished unclaimed jobs");
    }
    Ok(republished)
}

/// Returns the jobs whose messages may be lost. One cheap request shows whether an open job has been due for long.
async fn overdue(
    outbox: &Outbox,
    job_relay: &JobRelay,
    now: Timestamp,
) -> Result<Vec<Overdue>, Stop> {
    let jobs = &job_relay.jobs;
    let oldest = jobs.oldest_pending_seconds(now).await;
    if oldest.map_err(Stop::retry)? < UNCLAIMED_AFTER.as_secs() {
        return Ok(Vec::new());
    }
    let mut overdue = jobs.unclaimed().await.map_err(Stop::retry)?;
    let ids: Vec<String> = overdue.iter().map(|job| job.id.clone()).collect();
    let by_row = outbox.unfinished(&ids).await.map_err(Stop::retry)?;
    overdue.retain(|job| !by_row.contains(&job.id));
    Ok(overdue)
}

async fn republish_part(
    job_relay: &JobRelay,
    part: &[Overdue],
    now: Timestamp,
) -> Result<usize, Stop> {
    let lost = job_relay.jobs.take_unclaimed(part).await;
    let lost = lost.map_err(Stop::retry)?;
    let outgoing: Vec<Outgoing<'_>> = lost.iter().map(Unclaimed::outgoing).collect();
    let handover = job_relay.publisher.hand_over(&outgoing).await;
    let (mut republished, mut dead) = (0, 0);
    for (job, delivery) in lost.iter().zip(&handover.deliveries) {
        match delivery {
            Delivery::Taken => republished += 1,
            Delivery::Refused(reason) => dead += u64::from(reject(job_relay, job, reason).await?),
            Delivery::NotSent | Delivery::InDoubt => {}
        }
    }
    if dead > 0 {
        Figure::DeadJobs(dead).emit("relay-outbox", now);
    }
    match handover.outage {
        Some(outage) => Err(queue_stop(outage, "relay-outbox", now)),
        None => Ok(republished),
    }
}

/// Marks a job as dead whose message the queue rejects. Returns false if its record has a newer state.
async fn reject(job_relay: &JobRelay, job: &Unclaimed, reason: &str) -> Result<bool, Stop> {
    tracing::error!(
        job_id = job.job_id,
        reason,
        "QStash rejected an unclaimed job; it is marked dead"
    );
    let incoming = Incoming {
        job_id: &job.job_id,
        job: job.job,
        message_id: "-",
        generation: job.generation,
        payload: &job.payload,
    };
    let failed = job_relay.jobs.fail(incoming, reason).await;
    Ok(failed.map_err(Stop::retry)? == Failed::Dead)
}
