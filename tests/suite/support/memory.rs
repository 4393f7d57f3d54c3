//! The memory of a function's instances.

use super::TestCloud;

/// Returns the peak memory of a function's only instance, in KB.
pub(crate) fn peak(cloud: &TestCloud, function: &str) -> u64 {
    let pids = cloud.gateway().pids(function);
    assert_eq!(pids.len(), 1, "an instance died or was added");
    let status = std::fs::read_to_string(format!("/proc/{}/status", pids[0])).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let figure = line.unwrap().split_whitespace().nth(1).unwrap();
    figure.parse().unwrap()
}
