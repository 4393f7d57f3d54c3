//! The one table of job types: who runs each, how often it is tried, and how much of it may run at once.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A type of job. Its name is what `jobs:{type}` and the API call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JobType {
    /// E-mail, single and bulk.
    Email,
    /// Notifications, single and bulk.
    Notification,
    /// Audit events.
    AuditLog,
    /// Removing what is no longer needed.
    CleanupExpired,
    /// What was decided of sessions while Postgres was away.
    PersistSession,
    /// A sweep: of the outbox, and of jobs that got lost on their way.
    RelayOutbox,
}

/// How urgent a job is among those of its type and tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Somebody is waiting.
    High,
    /// The usual.
    #[default]
    Normal,
    /// Whenever there is room.
    Low,
}

/// How much of one flow-control key may run: QStash holds back the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Deliveries at once.
    pub parallelism: u32,
    /// Deliveries started in a second.
    pub per_second: u32,
}

/// How a type of job is run.
#[derive(Debug)]
pub struct Plan {
    /// The type.
    pub job: JobType,
    /// The function that runs it: its folder, and the last segment of its route.
    pub handler: &'static str,
    /// What the function calls itself when it is asked.
    pub service: &'static str,
    /// Deliveries after the first one that failed.
    pub retries: u32,
    /// The wait before the first retry; each further one waits `factor` times as long.
    pub first_retry: Duration,
    /// How much longer each wait is than the one before.
    pub factor: u32,
    /// How long QStash waits for the answer: more than the function works, less than API Gateway waits.
    pub timeout: Duration,
    /// How long a claim lasts: longer than the function can run.
    pub lease: Duration,
    /// Flow control at high, normal and low priority, each for one tenant.
    pub flow: [Flow; 3],
}

/// The function that QStash tells when a message is given up.
pub const FAILURE_HANDLER: &str = "job-failed";

/// One at a time.
const ALONE: Flow = Flow {
    parallelism: 1,
    per_second: 1,
};

/// What one tenant may run of a type at each priority.
const USUAL: [Flow; 3] = [
    Flow {
        parallelism: 10,
        per_second: 50,
    },
    Flow {
        parallelism: 5,
        per_second: 20,
    },
    Flow {
        parallelism: 2,
        per_second: 5,
    },
];

const PLANS: &[Plan] = &[
    EMAIL,
    NOTIFICATION,
    AUDIT_LOG,
    CLEANUP_EXPIRED,
    PERSIST_SESSION,
    RELAY_OUTBOX,
];

const EMAIL: Plan = Plan {
    job: JobType::Email,
    handler: "send-email",
    service: "Email Job Handler",
    retries: 5,
    // 10 s, 40 s, 2 min 40 s, 10 min 40 s, 42 min 40 s: a provider's bad hour is outlived, a bad day is not hidden.
    first_retry: Duration::from_secs(10),
    factor: 4,
    timeout: Duration::from_secs(28),
    lease: Duration::from_secs(35),
    flow: USUAL,
};

const NOTIFICATION: Plan = Plan {
    job: JobType::Notification,
    handler: "send-notification",
    service: "Notification Job Handler",
    retries: 5,
    first_retry: Duration::from_secs(10),
    factor: 4,
    timeout: Duration::from_secs(28),
    lease: Duration::from_secs(35),
    flow: USUAL,
};

const AUDIT_LOG: Plan = Plan {
    job: JobType::AuditLog,
    handler: "audit-log",
    service: "Audit Log Job Handler",
    // Evidence outlives an afternoon without the database: 10 s, 40 s, ... 11 hours.
    retries: 7,
    first_retry: Duration::from_secs(10),
    factor: 4,
    timeout: Duration::from_secs(28),
    lease: Duration::from_secs(35),
    flow: USUAL,
};

const PERSIST_SESSION: Plan = Plan {
    job: JobType::PersistSession,
    handler: "persist-session",
    service: "Session Persistence Job Handler",
    retries: 5,
    // 20 s, 1 min 40 s, 8 min 20 s, 41 min 40 s, 3 h 28 min: Postgres may be away for four hours.
    first_retry: Duration::from_secs(20),
    factor: 5,
    timeout: Duration::from_secs(28),
    lease: Duration::from_secs(35),
    flow: [Flow {
        parallelism: 20,
        per_second: 100,
    }; 3],
};

const RELAY_OUTBOX: Plan = Plan {
    job: JobType::RelayOutbox,
    handler: "relay-outbox",
    service: "Outbox Relay Job Handler",
    retries: 3,
    // 10 s, 40 s, 2 min 40 s: then the next sweep has come.
    first_retry: Duration::from_secs(10),
    factor: 4,
    timeout: Duration::from_secs(28),
    lease: Duration::from_secs(35),
    // Only for what a sweep leaves to the next message; schedules and pings come as they come.
    flow: [ALONE, ALONE, ALONE],
};

const CLEANUP_EXPIRED: Plan = Plan {
    job: JobType::CleanupExpired,
    handler: "cleanup-expired",
    service: "Cleanup Job Handler",
    // One minute, two, four: the next night comes anyway.
    retries: 3,
    first_retry: Duration::from_mins(1),
    factor: 2,
    timeout: Duration::from_secs(28),
    lease: Duration::from_secs(35),
    flow: [ALONE, ALONE, ALONE],
};

impl JobType {
    /// Every type there is.
    pub const ALL: &'static [Self] = &[
        Self::Email,
        Self::Notification,
        Self::AuditLog,
        Self::CleanupExpired,
        Self::PersistSession,
        Self::RelayOutbox,
    ];

    /// How this type is run.
    #[must_use]
    pub fn plan(self) -> &'static Plan {
        &PLANS[self as usize]
    }

    /// The type that a function runs.
    #[must_use]
    pub fn of_handler(handler: &str) -> Option<Self> {
        let plan = PLANS.iter().find(|plan| plan.handler == handler)?;
        Some(plan.job)
    }

    /// The type's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Notification => "notification",
            Self::AuditLog => "audit-log",
            Self::CleanupExpired => "cleanup-expired",
            Self::PersistSession => "persist-session",
            Self::RelayOutbox => "relay-outbox",
        }
    }
}

impl Plan {
    /// The route at which the function is delivered to.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/api/jobs/{}", self.handler)
    }

    /// How long the queue waits after a delivery that had been retried `retried` times before.
    #[must_use]
    pub fn wait(&self, retried: u32) -> Duration {
        self.first_retry * self.factor.saturating_pow(retried.min(self.retries))
    }

    /// [`Plan::wait`] in QStash's expression language, in milliseconds.
    #[must_use]
    pub fn retry_delay(&self) -> String {
        let first = self.first_retry.as_millis();
        format!("{first} * pow({}, retried)", self.factor)
    }

    /// What all waits add up to.
    #[must_use]
    pub fn retry_horizon(&self) -> Duration {
        (0..self.retries).map(|retried| self.wait(retried)).sum()
    }

    /// Flow control at a priority.
    #[must_use]
    pub fn flow(&self, priority: Priority) -> Flow {
        self.flow[priority as usize]
    }
}

impl Priority {
    /// The priority's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

impl fmt::Display for JobType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No type of job has this name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no such type of job")]
pub struct UnknownType;

impl FromStr for JobType {
    type Err = UnknownType;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|job| job.name() == name)
            .ok_or(UnknownType)
    }
}

#[cfg(test)]
mod tests {
    use super::{JobType, PLANS};

    #[test]
    fn each_type_finds_its_own_plan_and_is_found_by_its_handler() {
        for (place, job) in JobType::ALL.iter().enumerate() {
            assert_eq!(PLANS[place].job, *job);
            assert_eq!(job.plan().job, *job);
            assert_eq!(JobType::of_handler(job.plan().handler), Some(*job));
            assert_eq!(job.name().parse(), Ok(*job));
        }
    }

    #[test]
    fn qstash_gives_up_before_the_lease_and_before_api_gateway() {
        for plan in PLANS {
            assert!(plan.timeout.as_secs() <= 28, "{}", plan.handler);
            assert!(plan.lease > plan.timeout, "{}", plan.handler);
        }
    }
}
