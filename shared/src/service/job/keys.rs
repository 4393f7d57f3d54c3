//! The Redis keys of jobs.

use crate::service::key::Family;

/// The record of one job.
pub const JOB: Family = Family {
    pattern: "job:{jobId}",
    kind: "hash",
    life: "delivery + retry horizon + 7 days; dead: 30 days",
};

/// The ids of a type's jobs, newest first.
pub const LIST: Family = Family {
    pattern: "jobs:{type}",
    kind: "list",
    life: "the newest 1,000 ids of each type",
};

/// The ids of a type's open jobs, scored by the millisecond at which each is due.
pub const OPEN: Family = Family {
    pattern: "jobs_open:{type}",
    kind: "sorted set",
    life: "one member for each open job; members older than 40 days go with the next enqueue",
};

/// The ids of a type's dead jobs, scored by the millisecond at which each died.
pub const DEAD: Family = Family {
    pattern: "jobs_dead:{type}",
    kind: "sorted set",
    life: "one member for each dead job; members older than 30 days go with the next death",
};

/// The ids of the jobs with a label.
pub const BATCH: Family = Family {
    pattern: "job_batch:{label}",
    kind: "set",
    life: "30 days after the last job of it was recorded; one member for each",
};

/// The number of a type's jobs, their outcomes, and the pauses.
pub const STATS: Family = Family {
    pattern: "job_stats:{type}",
    kind: "hash",
    life: "three counters for each type, and one field for each pause",
};

/// The job of a QStash message.
pub const MESSAGE: Family = Family {
    pattern: "job_message:{messageId}",
    kind: "string",
    life: "8 days",
};

/// The jobs of an Idempotency-Key.
pub const IDEMPOTENCY: Family = Family {
    pattern: "idempotency:{sha256}",
    kind: "hash",
    life: "24 hours",
};

/// All families of this service.
pub const ALL: &[&Family] = &[
    &JOB,
    &LIST,
    &OPEN,
    &DEAD,
    &STATS,
    &MESSAGE,
    &IDEMPOTENCY,
    &BATCH,
];
