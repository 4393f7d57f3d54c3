//! Applies the rows of one kind; each kind has its own module.

use shared::service::job::Stop;
use shared::service::outbox::{Kind, Outcome, Row};

/// Applies rows of one kind. A row may be applied a second time if its relay stopped before recording it.
pub(crate) trait Apply: Sync {
    /// The kind.
    const KIND: Kind;

    /// Applies these rows.
    fn apply(&self, rows: &[Row]) -> impl Future<Output = Applied> + Send;
}

/// The result of applying rows.
#[derive(Debug)]
pub(crate) struct Applied {
    /// One outcome per row, in the order of the rows.
    pub(crate) outcomes: Vec<Outcome>,
    /// An error that no row caused, such as an outage: the rows of this kind wait until it is over.
    pub(crate) stop: Option<Stop>,
}
