//! The run that follows a ping. Pings of one second are one message, so the last of them may be swallowed while the run
//! of the first is ending: a delayed run finds what it would have found.

use jiff::{SignedDuration, Timestamp};
use shared::base::causes::causes;
use shared::protocol::qstash::DeduplicationId;
use shared::service::job::{JobType, Publisher, Run};

/// Pings of this many seconds share one delayed run.
const SLOT: i64 = 5;

/// What the delayed run does: the rows, and no further run.
const BODY: &str = r#"{"task":"rows"}"#;

/// Publishes the delayed run. It begins at least a second after `now`: no ping that the present one has swallowed is
/// later than that. A failure is left to the sweep, which comes within five minutes.
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
