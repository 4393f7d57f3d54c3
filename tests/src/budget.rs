//! The budget of each operation at Redis and at QStash: the suite measures it, docs/PERFORMANCE.md prints it.
//!
//! Upstash bills commands, including a script and each command inside it; a request is a round trip. The numbers are
//! exact for a function whose scripts are loaded, so one more command is a decision and not an accident.
//!
//! A route's guard is included: one request before a write, none on a read, and four commands each time (the script,
//! reading the counters, counting, and the hour's figure).

use std::fmt::Write as _;

/// The cost of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Requests to Redis.
    pub redis_requests: u64,
    /// Commands at Redis.
    pub redis_commands: u64,
    /// Requests to QStash.
    pub qstash_requests: u64,
}

/// An operation and its cost.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// The route, job or call.
    pub operation: &'static str,
    /// Its cost.
    pub cost: Cost,
}

const fn budget(
    operation: &'static str,
    [redis_requests, redis_commands, qstash_requests]: [u64; 3],
) -> Budget {
    Budget {
        operation,
        cost: Cost {
            redis_requests,
            redis_commands,
            qstash_requests,
        },
    }
}

/// Every operation with a cost, and those that must be free.
pub const BUDGETS: &[Budget] = &[
    budget("POST /api/queue/emails", [2, 14, 1]),
    budget(
        "POST /api/queue/emails, with an Idempotency-Key",
        [2, 17, 1],
    ),
    budget(
        "POST /api/queue/emails, the same Idempotency-Key again",
        [2, 8, 1],
    ),
    budget(
        "POST /api/queue/emails/bulk, 250 recipients (3 jobs)",
        [2, 20, 1],
    ),
    budget(
        "POST /api/queue/emails/bulk, 10,000 recipients (100 jobs)",
        [2, 254, 1],
    ),
    budget("GET /api/queue/jobs/{jobId}", [1, 6, 0]),
    budget("GET /api/queue/jobs/{jobId}, by message id", [1, 8, 0]),
    budget("GET /api/queue/jobs, a page of 20", [1, 31, 0]),
    budget("GET /api/queue/stats", [1, 22, 0]),
    budget("DELETE /api/queue/jobs/{jobId}", [2, 12, 0]),
    budget(
        "POST /api/queue/jobs/{jobId}/retry, of a dead job",
        [2, 15, 1],
    ),
    budget("PUT /api/queue/pauses/{type}", [2, 5, 0]),
    budget("GET /api/queue/batches/{batchId}, 3 jobs", [1, 9, 0]),
    budget(
        "POST /api/queue/jobs/cancel, 3 jobs of 3 that wait",
        [8, 43, 0],
    ),
    budget("POST /api/queue/jobs/retry, 3 dead jobs", [3, 42, 1]),
    budget("GET /api/queue/schedules", [1, 13, 1]),
    budget("PUT /api/queue/schedules, nothing to change", [2, 13, 2]),
    budget("GET /api/cache/{kind}/{id}, display data, hit", [1, 8, 0]),
    budget("GET /api/cache/{kind}/{id}, security data, hit", [1, 7, 0]),
    budget("GET /api/cache/{kind}/{id}, miss", [3, 17, 0]),
    budget("GET /api/cache/{kind}/{id}, a known missing id", [1, 7, 0]),
    budget("GET /api/cache/{kind}/{id}, of another user", [1, 4, 0]),
    budget("PUT /api/cache/{kind}/{id}", [2, 9, 0]),
    budget("DELETE /api/cache/{kind}/{id}", [2, 5, 0]),
    budget("DELETE /api/cache/groups/{group}/{id}", [2, 5, 0]),
    budget("GET /api/cache/stats", [1, 5, 0]),
    budget("GET /api/health/redis", [1, 25, 1]),
    budget("GET /api/openapi.json", [0, 0, 0]),
    budget("GET /api/jobs/send-email", [0, 0, 0]),
    budget("any route, with a wrong token", [0, 0, 0]),
    budget("POST /api/jobs/send-email, forged", [0, 0, 0]),
    budget(
        "POST /api/jobs/send-email, one mail (claim, budget and commit)",
        [3, 23, 0],
    ),
    budget("POST /api/jobs/send-email, a bulk of 10 mails", [3, 32, 0]),
    budget(
        "POST /api/jobs/send-email, a message without a record",
        [3, 26, 0],
    ),
    budget(
        "POST /api/jobs/send-email, of a job that is done",
        [1, 3, 0],
    ),
    budget(
        "POST /api/jobs/send-email, throttled and deferred",
        [3, 21, 1],
    ),
    budget(
        "POST /api/queue/notifications/bulk, 250 notifications (3 jobs)",
        [2, 20, 1],
    ),
    budget(
        "POST /api/jobs/send-notification, one notification (claim, announcement and commit)",
        [3, 26, 0],
    ),
    budget(
        "POST /api/jobs/send-notification, a bulk of 10 to one user",
        [3, 71, 0],
    ),
    budget("GET /api/notifications", [1, 4, 0]),
    budget("GET /api/notifications/unread-count", [1, 7, 0]),
    budget(
        "GET /api/notifications/unread-count, missing in Redis",
        [2, 10, 0],
    ),
    budget("POST /api/notifications/read", [2, 14, 0]),
    budget("POST /api/jobs/job-failed", [1, 12, 0]),
    budget("POST /api/jobs/relay-outbox, nothing to do", [4, 27, 0]),
    budget("POST /api/jobs/relay-outbox, one row", [5, 37, 1]),
    budget("POST /api/jobs/relay-outbox, 100 rows", [5, 1027, 1]),
    budget("POST /api/jobs/relay-outbox, no dead letters", [2, 19, 1]),
    budget("POST /api/sessions, the first of a user", [2, 15, 0]),
    budget("GET /api/sessions/{sessionId}", [1, 7, 0]),
    budget(
        "GET /api/sessions/{sessionId}, only in Postgres",
        [3, 25, 0],
    ),
    budget("POST /api/sessions/{sessionId}/refresh", [2, 10, 0]),
    budget("PUT /api/sessions/{sessionId}/totp", [2, 10, 0]),
    budget("DELETE /api/sessions/{sessionId}", [2, 11, 0]),
    budget("GET /api/users/{userId}/sessions, of one", [2, 8, 0]),
    budget("DELETE /api/users/{userId}/sessions, of one", [3, 17, 0]),
    budget("POST /api/tokens, the first of an address", [2, 11, 0]),
    budget("POST /api/tokens/redeem", [2, 10, 0]),
    budget("POST /api/totp/claims", [2, 5, 0]),
    budget("POST /api/jobs/persist-session, a revocation", [3, 26, 0]),
    budget(
        "POST /api/security/attempts, the first failure of an account",
        [2, 22, 0],
    ),
    budget(
        "POST /api/security/attempts, a success of a known device",
        [2, 22, 0],
    ),
    budget("POST /api/security/assess", [2, 13, 0]),
    budget("GET /api/security/blocklist", [1, 4, 0]),
    budget("PUT /api/security/blocklist", [3, 12, 0]),
    budget("DELETE /api/security/blocklist", [3, 16, 0]),
    budget("POST /api/security/rate-limits/{limiter}", [1, 4, 0]),
    budget(
        "POST /api/security/rate-limits/{limiter}, without counting",
        [1, 2, 0],
    ),
    budget("GET /api/security/rate-limits", [1, 6, 0]),
    budget("realtime::publish", [1, 6, 0]),
    budget("analytics::count", [1, 2, 0]),
];

/// Returns the budgets as a Markdown table.
#[must_use]
pub fn table() -> String {
    let mut table = String::from(
        "| operation | Redis requests | Redis commands | QStash requests |\n|---|---:|---:|---:|\n",
    );
    for Budget { operation, cost } in BUDGETS {
        let Cost {
            redis_requests,
            redis_commands,
            qstash_requests,
        } = cost;
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {operation} | {redis_requests} | {redis_commands} | {qstash_requests} |"
        );
    }
    table
}
