//! What is done with the rows of one kind: each kind has a module that says so.

use shared::service::job::Stop;
use shared::service::outbox::{Kind, Outcome, Row};

/// Does rows of one kind. It may be given a row that was done before: its relay died before it could say so.
pub(crate) trait Apply: Sync {
    /// The kind.
    const KIND: Kind;

    /// Does these rows.
    fn apply(&self, rows: &[Row]) -> impl Future<Output = Applied> + Send;
}

/// What became of rows.
#[derive(Debug)]
pub(crate) struct Applied {
    /// One for each row, in their order.
    pub(crate) outcomes: Vec<Outcome>,
    /// What is no row's fault, such as an outage: the rows of this kind are left until it is over.
    pub(crate) stop: Option<Stop>,
}
