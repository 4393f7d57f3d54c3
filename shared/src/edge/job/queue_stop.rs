//! Maps a failed publish to the end of the attempt that made it.

use jiff::Timestamp;

use crate::base::causes::causes;
use crate::edge::metrics::Figure;
use crate::service::job::{self, Stop};

/// Returns how an attempt of `function` ends after a failed publish. A rejected message is our fault and goes dead with
/// the reason. A used-up quota raises an alarm and is retried after its reset. An outage is retried.
pub fn queue_stop(error: job::Error, function: &str, now: Timestamp) -> Stop {
    let message = causes(&error);
    if error.is_rejection() {
        tracing::error!(
            error = message,
            "QStash rejected the request; this job is marked dead"
        );
        return Stop::reject(error);
    }
    let after = match &error {
        job::Error::Publish(queue) if queue.is_quota() => {
            tracing::error!(
                error = message,
                "QStash quota used up; this job is retried after the reset"
            );
            Figure::QueueQuotaSpent(1).emit(function, now);
            queue.retry_after()
        }
        _ => {
            tracing::error!(error = message, "QStash call failed; this job is retried");
            None
        }
    };
    match Stop::retry(error) {
        Stop::Retry { error, .. } => Stop::Retry { error, after },
        stop => stop,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::{Stop, job, queue_stop};
    use crate::protocol::qstash;

    fn stop(error: impl Into<job::Error>) -> Stop {
        queue_stop(error.into(), "send-email", Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn rejected_message_is_never_retried_and_spent_quota_is_retried() {
        let rejected = qstash::Error::Refused {
            status: 400,
            reason: "invalid flow control key".into(),
        };
        let Stop::Reject(reason) = stop(rejected) else {
            panic!("a rejection is repeated");
        };
        assert!(reason.contains("invalid flow control key"), "{reason}");
        assert!(matches!(
            stop(job::Error::TooLarge { bytes: 7 }),
            Stop::Reject(_)
        ));
        let hour = Some(Duration::from_hours(1));
        let daily = qstash::Error::RateLimited {
            retry_after: hour,
            daily: true,
        };
        assert!(matches!(stop(daily), Stop::Retry { after, .. } if after == hour));
        let quota = stop(qstash::Error::Quota("messages".into()));
        assert!(matches!(quota, Stop::Retry { after: None, .. }));
        let outage = qstash::Error::Refused {
            status: 502,
            reason: String::new(),
        };
        assert!(matches!(stop(outage), Stop::Retry { after: None, .. }));
    }
}
