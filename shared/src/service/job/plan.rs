//! The one table of job types: who runs each, how often it is tried, and how many of it start in a second. How many run
//! at once stands in [`capacity`].

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::kind::{JobType, Priority};
use crate::protocol::qstash::FlowKey;
use crate::service::capacity::{self, Keys};

/// Limits of one flow-control key: QStash holds back the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The key.
    pub key: FlowKey,
    /// Deliveries at once.
    pub parallelism: u32,
    /// Deliveries started in a second, where that is limited.
    pub per_second: Option<u32>,
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
    /// The flow-control keys, and how much runs at once under each.
    pub keys: Keys,
    /// Deliveries started in a second under one key, at high, normal and low priority.
    pub per_second: Option<[u32; 3]>,
}

/// The function that QStash tells when a message is given up.
pub const FAILURE_HANDLER: &str = "job-failed";

/// The longest that a wait is stretched, in thousandths: what failed together does not come back together.
const MAX_JITTER: u32 = 250;

/// What starts in a second under one key.
const DEFAULT_RATES: Option<[u32; 3]> = Some([50, 20, 5]);

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
    keys: capacity::SEND_EMAIL.keys,
    per_second: DEFAULT_RATES,
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
    keys: capacity::SEND_NOTIFICATION.keys,
    per_second: DEFAULT_RATES,
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
    keys: capacity::AUDIT_LOG.keys,
    per_second: DEFAULT_RATES,
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
    keys: capacity::PERSIST_SESSION.keys,
    per_second: None,
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
    keys: capacity::RELAY_OUTBOX.keys,
    per_second: None,
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
    keys: capacity::CLEANUP_EXPIRED.keys,
    per_second: None,
};

impl JobType {
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
}

impl Plan {
    /// The route at which the function is delivered to.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/api/jobs/{}", self.handler)
    }

    /// How long the queue waits at least after a delivery that had been retried `retried` times before.
    #[must_use]
    pub fn wait(&self, retried: u32) -> Duration {
        self.first_retry * self.factor.saturating_pow(retried.min(self.retries))
    }

    /// [`Plan::wait`] of one job: stretched by up to a quarter, always by the same for the same job.
    #[must_use]
    pub fn wait_of(&self, job_id: &str, retried: u32) -> Duration {
        stretched(self.wait(retried), job_id)
    }

    /// [`Plan::wait_of`] in QStash's expression language, in milliseconds. QStash has no random numbers, so the jitter is
    /// a constant of the job.
    #[must_use]
    pub fn retry_delay(&self, job_id: &str) -> String {
        let first = stretched(self.first_retry, job_id).as_millis();
        format!("{first} * pow({}, retried)", self.factor)
    }

    /// What all waits add up to, at the most.
    #[must_use]
    pub fn retry_horizon(&self) -> Duration {
        let least: Duration = (0..self.retries).map(|retried| self.wait(retried)).sum();
        least * (1000 + MAX_JITTER) / 1000
    }

    /// Flow control of a tenant's jobs at a priority. Tenants share a few keys, so that what runs at once does not grow
    /// with their number.
    #[must_use]
    pub fn flow(&self, priority: Priority, tenant: &str) -> Flow {
        let place = priority as usize;
        let (key, parallelism) = match self.keys {
            Keys::None => (self.handler.to_owned(), 1),
            Keys::One { parallelism } => (self.handler.to_owned(), parallelism),
            Keys::Buckets {
                buckets,
                parallelism,
            } => {
                let bucket = hash(tenant) % buckets;
                let key = format!("{}.{}.{bucket}", self.handler, priority.name());
                (key, parallelism[place])
            }
        };
        Flow {
            key: FlowKey::derive(&key),
            parallelism,
            per_second: self.per_second.map(|rates| rates[place]),
        }
    }
}

/// A wait that is up to a quarter longer, by the job's id.
#[must_use]
pub fn stretched(wait: Duration, job_id: &str) -> Duration {
    wait * (1000 + hash(job_id) % (MAX_JITTER + 1)) / 1000
}

/// A number that spreads texts evenly.
fn hash(text: &str) -> u32 {
    let digest = Sha256::digest(text);
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::{JobType, PLANS, Priority};
    use crate::service::capacity::FUNCTIONS;

    const PRIORITIES: [Priority; 3] = [Priority::High, Priority::Normal, Priority::Low];

    #[test]
    fn parallelism_of_all_keys_fits_the_instances_for_any_number_of_tenants() {
        for plan in PLANS {
            let capacity = FUNCTIONS.iter().find(|it| it.function == plan.handler);
            let mut keys = BTreeSet::new();
            for tenant in 0..10_000 {
                for priority in PRIORITIES {
                    let flow = plan.flow(priority, &format!("tenant-{tenant}@example.com"));
                    keys.insert((flow.key, flow.parallelism));
                }
            }
            let reached: u32 = keys.iter().map(|(_, parallelism)| parallelism).sum();
            let capacity = capacity.unwrap();
            let left = capacity.instances.unwrap() - capacity.keyless;
            assert!(reached <= left, "{}: {reached} of {left}", plan.handler);
            assert_eq!(reached, capacity.keys.reachable(), "{}", plan.handler);
        }
    }

    #[test]
    fn low_priority_never_shares_a_key_with_a_higher_priority() {
        let plan = JobType::Email.plan();
        let keys: BTreeSet<_> = PRIORITIES
            .map(|priority| plan.flow(priority, "acme.example").key)
            .into();
        assert_eq!(keys.len(), 3, "{keys:?}");
    }

    #[test]
    fn retry_waits_are_spread_and_never_shorter_than_planned() {
        let plan = JobType::Email.plan();
        let waits: BTreeSet<Duration> = (0..1000)
            .map(|job| plan.wait_of(&format!("job-{job}"), 1))
            .collect();
        assert!(waits.len() > 200, "{}", waits.len());
        let (least, most) = (waits.first().unwrap(), waits.last().unwrap());
        assert!(*least >= plan.wait(1) && *most <= plan.wait(1) * 5 / 4);
        assert_eq!(plan.wait_of("job-1", 1), plan.wait_of("job-1", 1));
    }

    #[test]
    fn retry_expression_and_answer_give_the_same_wait() {
        let plan = JobType::Email.plan();
        let expression = plan.retry_delay("job-1");
        let first = plan.wait_of("job-1", 0).as_millis();
        assert_eq!(expression, format!("{first} * pow(4, retried)"));
    }

    #[test]
    fn each_job_type_has_its_own_plan_and_is_found_by_its_handler() {
        for (place, job) in JobType::ALL.iter().enumerate() {
            assert_eq!(PLANS[place].job, *job);
            assert_eq!(job.plan().job, *job);
            assert_eq!(JobType::of_handler(job.plan().handler), Some(*job));
            assert_eq!(job.name().parse(), Ok(*job));
        }
    }

    #[test]
    fn qstash_timeout_ends_before_the_lease_and_the_api_gateway_limit() {
        for plan in PLANS {
            assert!(plan.timeout.as_secs() <= 28, "{}", plan.handler);
            assert!(plan.lease > plan.timeout, "{}", plan.handler);
        }
    }
}
