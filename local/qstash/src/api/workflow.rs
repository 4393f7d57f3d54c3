//! The endpoints of Upstash Workflow, which are not implemented.

use super::refusal::Refusal;

/// Rejects the call.
pub(super) async fn refuse() -> Refusal {
    Refusal::Invalid(
        "Upstash Workflow is not available on this server, publish a plain message".to_owned(),
    )
}
