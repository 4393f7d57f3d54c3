//! The endpoints of Upstash Workflow, none of which are built.

use super::refusal::Refusal;

/// Says so.
pub(super) async fn refuse() -> Refusal {
    Refusal::Invalid(
        "Upstash Workflow is not available on this server, publish a plain message".to_owned(),
    )
}
