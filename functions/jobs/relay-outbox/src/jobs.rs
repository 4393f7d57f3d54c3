//! Rows that are jobs.

use shared::base::clock::Clock;
use shared::edge::job::queue_stop;
use shared::service::job::Stop;
use shared::service::outbox::jobs::Courier;
use shared::service::outbox::{Kind, Outcome, Row};

use crate::apply::Apply;

impl Apply for Courier {
    const KIND: Kind = Kind::Job;

    async fn apply(&self, rows: &[Row]) -> Result<Vec<Outcome>, Stop> {
        let delivered = self.deliver(rows).await;
        delivered.map_err(|error| queue_stop(error, "relay-outbox", Clock::system().now()))
    }
}
