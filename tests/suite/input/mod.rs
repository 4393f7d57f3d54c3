//! Invalid input on every route and payload: a clear rejection, never a 5xx, never a panic. And the callers' rights.

mod authorization;
mod bodies;
mod deliveries;
mod document;
mod every_route;
mod fields;
mod headers;
mod mutations;
mod payload;
mod routes;
mod spellings;
mod timing;
mod visibility;

use crate::support::TestCloud;

/// The routes with a body.
const ENQUEUE: [&str; 2] = ["/api/queue/emails", "/api/queue/emails/bulk"];

/// Asserts that no function panicked because of a test's request.
#[track_caller]
fn assert_nobody_panicked(cloud: &TestCloud) {
    let logs = cloud.logs();
    for sign in ["panicked", "RUST_BACKTRACE"] {
        let line = logs.lines().find(|line| line.contains(sign));
        assert_eq!(line, None, "a function panicked");
    }
}
