//! Jobs that are recorded and that nobody has come for: their messages may never have been published.

use shared::service::job::{Delivery, Outgoing, Stop, Unclaimed};
use shared::service::outbox::Outbox;
use shared::service::outbox::jobs::Courier;

/// Jobs of each type that one sweep publishes again at the most; the next sweep finds the others.
const MOST: usize = 100;

/// Publishes them again, under the same deduplication ids, and says how many there were. A job whose row of the outbox is
/// not done goes by that row: it may wait behind another of its order.
pub(crate) async fn republish(outbox: &Outbox, courier: &Courier) -> Result<usize, Stop> {
    let mut ids = courier.jobs.unclaimed().await.map_err(Stop::retry)?;
    if !ids.is_empty() {
        let by_row = outbox.unfinished(&ids).await.map_err(Stop::retry)?;
        ids.retain(|id| !by_row.contains(id));
    }
    if ids.is_empty() {
        return Ok(0);
    }
    let lost = courier.jobs.take_unclaimed(&ids, MOST).await;
    let lost = lost.map_err(Stop::retry)?;
    let outgoing: Vec<Outgoing<'_>> = lost.iter().map(Unclaimed::outgoing).collect();
    let handover = courier.publisher.hand_over(&outgoing).await;
    let mut republished = 0;
    for (job, delivery) in lost.iter().zip(&handover.deliveries) {
        match delivery {
            Delivery::Taken => republished += 1,
            Delivery::Refused(reason) => {
                tracing::error!(job_id = job.job_id, reason, "job not republished: refused");
            }
            Delivery::NotSent | Delivery::InDoubt => {}
        }
    }
    if republished > 0 {
        tracing::warn!(republished, "republished unclaimed jobs");
    }
    match handover.outage {
        Some(outage) => Err(Stop::retry(outage)),
        None => Ok(republished),
    }
}
