//! Waiting for conditions, and reading results.

use std::time::Duration;

use serde_json::Value;

use super::cloud::TIMEOUT;

/// Waits until a condition holds.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(TIMEOUT, waiting).await;
    waited.unwrap_or_else(|_| panic!("timed out waiting until {what}"));
}

/// Returns the statuses of a job's timeline, in order.
pub(crate) fn statuses(job: &Value) -> Vec<&str> {
    let moments = job["timeline"].as_array().unwrap().iter();
    moments
        .map(|moment| moment["status"].as_str().unwrap())
        .collect()
}
