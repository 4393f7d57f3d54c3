//! A function's log, line by line.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::support::TestCloud;
use crate::support::cloud::TIMEOUT;

/// The functions with such logs.
pub(super) const FUNCTIONS: [&str; 6] = [
    "health",
    "openapi",
    "queue",
    "queue-jobs",
    "send-email",
    "job-failed",
];

/// Returns the lines so far. Each must be JSON.
pub(super) fn lines(cloud: &TestCloud, function: &str) -> Vec<Value> {
    let log = cloud.data().join("log").join(format!("{function}.log"));
    let log = std::fs::read_to_string(log).unwrap_or_default();
    log.split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .map(|line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{function}: {error}: {line}"))
        })
        .collect()
}

/// Returns the metrics lines of its invocations.
pub(super) fn metrics(cloud: &TestCloud, function: &str) -> Vec<Value> {
    let mut lines = lines(cloud, function);
    lines.retain(|line| line.get("_aws").is_some() && line.get("outcome").is_some());
    lines
}

/// Waits for a line: a function's output arrives a little after its response.
pub(super) async fn until(
    cloud: &TestCloud,
    function: &str,
    is_it: impl Fn(&Value) -> bool,
) -> Value {
    let found = async {
        loop {
            if let Some(line) = lines(cloud, function).into_iter().find(|line| is_it(line)) {
                return line;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(TIMEOUT, found)
        .await
        .unwrap_or_else(|_| panic!("{function}: {:#?}", lines(cloud, function)))
}
