//! The delayed run after a ping. Pings of one second are one message, so the last ping may be dropped while the run of
//! the first is ending. The delayed run finds the rows of the dropped ping.

use jiff::{SignedDuration, Timestamp};
use shared::base::causes::causes;
use shared::protocol::qstash::DeduplicationId;
use shared::service::job::{JobType, Publisher, Run};

/// Pings of this many seconds share one delayed run.
const SLOT: i64 = 5;

/// The payload of the delayed run: relay the rows, without another delayed run.
const BODY: &str = r#"{"task":"rows"}"#;

/// Publishes the delayed run. It starts at least a second after `now`, so it is later than any dropped ping. If
/// publishing fails, the sweep follows within five minutes.
pub(crate) async fn publish(publisher: &Publisher, now: Timestamp) {
    let slot = now.as_second().div_euclid(SLOT);
    let begin = Timestamp::from_second((slot + 1) * SLOT).unwrap_or(now);
    let run = Run {
        job: JobType::RelayOutbox,
        body: BODY,
        deduplication_id: DeduplicationId::derive(&format!("outbox-follow-up-{slot}")),
        not_before: begin + SignedDuration::from_secs(1),
    };
    if let Err(error) = publisher.publish_run(&run).await {
        tracing::warn!(
            error = causes(&error),
            "follow-up run not published; the next sweep relays its rows"
        );
    }
}
