//! The table of job types: the handler, the retries and the start rate of each. [`capacity`] has the simultaneous
//! deliveries.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::kind::{JobType, Priority};
use crate::protocol::qstash::FlowKey;
use crate::service::capacity::{self, Keys};

/// The limits of one flow-control key. QStash delays deliveries beyond them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The key.
    pub key: FlowKey,
    /// Simultaneous deliveries.
    pub parallelism: u32,
    /// Deliveries started per second, if limited.
    pub per_second: Option<u32>,
}

/// The plan of a job type.
#[derive(Debug)]
pub struct Plan {
    /// The type.
    pub job: JobType,
    /// The function that runs it: its folder name, and the last segment of its route.
    pub handler: &'static str,
    /// The function's name in its answer to GET.
    pub service: &'static str,
    /// The number of retries.
    pub retries: u32,
    /// The wait before the first retry; each further wait is `factor` times as long.
    pub first_retry: Duration,
    /// The ratio of each wait to the previous one.
    pub factor: u32,
    /// How long QStash waits for the answer: longer than the function works, shorter than API Gateway waits.
    pub timeout: Duration,
    /// How long a claim lasts: longer than the function can run.
    pub lease: Duration,
    /// The flow-control keys, and the simultaneous deliveries of each.
    pub keys: Keys,
    /// Deliveries started per second under one key, at high, normal and low priority.
    pub per_second: Option<[u32; 3]>,
}

/// The function that handles QStash's failure callbacks.
pub const FAILURE_HANDLER: &str = "job-failed";

/// The largest jitter of a wait, in thousandths: jobs that failed together do not retry together.
const MAX_JITTER: u32 = 250;

/// Deliveries started per second under one key.
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
    // 10 s, 40 s, 2 min 40 s, 10 min 40 s, 42 min 40 s: survives a provider outage of an hour, and reports a longer
    // one.
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
    // Audit events survive an afternoon without the database: 10 s, 40 s, ... 11 hours.
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
    // 20 s, 1 min 40 s, 8 min 20 s, 41 min 40 s, 3 h 28 min: Postgres may be unavailable for four hours.
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
    // 10 s, 40 s, 2 min 40 s: then the next sweep starts.
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
    // One minute, two, four: the next nightly run follows anyway.
    retries: 3,
    first_retry: Duration::from_mins(1),
    factor: 2,
    timeout: Duration::from_secs(28),
    lease: Duration::from_secs(35),
    keys: capacity::CLEANUP_EXPIRED.keys,
    per_second: None,
};

impl JobType {
    /// Returns the plan of this type.
    #[must_use]
    pub fn plan(self) -> &'static Plan {
        &PLANS[self as usize]
    }

    /// Returns the type that a function runs.
    #[must_use]
    pub fn of_handler(handler: &str) -> Option<Self> {
        let plan = PLANS.iter().find(|plan| plan.handler == handler)?;
        Some(plan.job)
    }
}

impl Plan {
    /// Returns the route of the function.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/api/jobs/{}", self.handler)
    }

    /// Returns the minimum wait of the queue after a delivery that was retried `retried` times before.
    #[must_use]
    pub fn wait(&self, retried: u32) -> Duration {
        self.first_retry * self.factor.saturating_pow(retried.min(self.retries))
    }

    /// Returns [`Plan::wait`] with the jitter of one job: up to a quarter longer, and constant for a job.
    #[must_use]
    pub fn wait_of(&self, job_id: &str, retried: u32) -> Duration {
        stretched(self.wait(retried), job_id)
    }

    /// Returns [`Plan::wait_of`] in QStash's expression language, in milliseconds. QStash has no random numbers, so the
    /// jitter is a constant of the job.
    #[must_use]
    pub fn retry_delay(&self, job_id: &str) -> String {
        let first = stretched(self.first_retry, job_id).as_millis();
        format!("{first} * pow({}, retried)", self.factor)
    }

    /// Returns the largest sum of all waits.
    #[must_use]
    pub fn retry_horizon(&self) -> Duration {
        let least: Duration = (0..self.retries).map(|retried| self.wait(retried)).sum();
        least * (1000 + MAX_JITTER) / 1000
    }

    /// Returns the flow control of a tenant's jobs at a priority. Tenants share a few keys, so that the simultaneous
    /// deliveries do not grow with the number of tenants.
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

/// Returns a wait with the jitter of the job's id: up to a quarter longer.
#[must_use]
pub fn stretched(wait: Duration, job_id: &str) -> Duration {
    wait * (1000 + hash(job_id) % (MAX_JITTER + 1)) / 1000
}

/// Returns a hash that distributes texts evenly.
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
