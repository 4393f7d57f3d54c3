//! Rows that are jobs.

use shared::base::clock::Clock;
use shared::edge::job::queue_stop;
use shared::service::outbox::job_relay::JobRelay;
use shared::service::outbox::{Kind, Row};

use crate::apply::{Applied, Apply};

impl Apply for JobRelay {
    const KIND: Kind = Kind::Job;

    async fn apply(&self, rows: &[Row]) -> Applied {
        let relayed = self.deliver(rows).await;
        let stop = |error| queue_stop(error, "relay-outbox", Clock::system().now());
        Applied {
            outcomes: relayed.outcomes,
            stop: relayed.outage.map(stop),
        }
    }
}
