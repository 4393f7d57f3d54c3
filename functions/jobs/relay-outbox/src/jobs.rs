//! Rows that are jobs.

use shared::service::job::Stop;
use shared::service::outbox::jobs::Courier;
use shared::service::outbox::{Kind, Row};

use crate::apply::{Applied, Apply};

impl Apply for Courier {
    const KIND: Kind = Kind::Job;

    async fn apply(&self, rows: &[Row]) -> Applied {
        let relayed = self.deliver(rows).await;
        Applied {
            outcomes: relayed.outcomes,
            stop: relayed.outage.map(Stop::retry),
        }
    }
}
