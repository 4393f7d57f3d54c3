//! What is done with the rows of one kind: each kind has a module that says so.

use shared::service::job::Stop;
use shared::service::outbox::{Kind, Outcome, Row};

/// Does rows of one kind. It may be given a row that was done before: its relay died before it could say so.
pub(crate) trait Apply: Sync {
    /// The kind.
    const KIND: Kind;

    /// Does these rows, and says of each, in their order, what became of it. Stopping is for what is no row's fault, such
    /// as an outage: then all of them are tried again.
    fn apply(&self, rows: &[Row]) -> impl Future<Output = Result<Vec<Outcome>, Stop>> + Send;
}
