//! Rows that are jobs.

use shared::service::job::Stop;
use shared::service::outbox::jobs::Courier;
use shared::service::outbox::{Kind, Outcome, Row};

use crate::apply::Apply;

impl Apply for Courier {
    const KIND: Kind = Kind::Job;

    async fn apply(&self, rows: &[Row]) -> Result<Vec<Outcome>, Stop> {
        self.deliver(rows).await.map_err(Stop::retry)
    }
}
