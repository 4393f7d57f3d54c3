//! The instances of each function, and the deliveries that occupy them. Tests compare `template.yaml` and the plans of
//! jobs with this table.
//!
//! Lambda rejects a call beyond a function's reserved concurrency at once, and a rejected delivery spends a retry. So
//! QStash's simultaneous deliveries over all flow-control keys of a function, plus a share for messages without a key,
//! fit its instances, for any number of tenants. Each instance of a function that opens Postgres holds one connection.
//! All of them together fit the smallest pooler that docs/DEPLOYING.md supports.
//!
//! The table contains every function of the design, including those that are not built yet: when they are added, they
//! take no instances from the others.

/// The pooler connections of all functions together. Supabase's Micro pooler accepts 200; the rest is for the web app,
/// migrations and people.
pub const MAX_CONNECTIONS: u32 = 150;

/// QStash's simultaneous deliveries over all keys, on the pay-as-you-go plan.
pub const MAX_PARALLELISM: u32 = 100;

/// The instances of one function, and its callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// The function: its folder.
    pub function: &'static str,
    /// Its reserved concurrency; none if it does not open Postgres and uses the account's unreserved concurrency.
    pub instances: Option<u32>,
    /// The flow-control keys of its deliveries.
    pub keys: Keys,
    /// Simultaneous deliveries without a key: schedules, callbacks, and messages that the official client publishes
    /// without one.
    pub keyless: u32,
}

/// The flow-control keys of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// None: QStash does not call it, or only without a key.
    None,
    /// One key for all messages.
    One {
        /// Simultaneous deliveries.
        parallelism: u32,
    },
    /// One key for each priority and each of a few buckets; tenants are hashed into buckets.
    Buckets {
        /// The number of buckets.
        buckets: u32,
        /// Simultaneous deliveries under one key, at high, normal and low priority.
        parallelism: [u32; 3],
    },
}

impl Keys {
    /// Returns the simultaneous deliveries over all keys.
    #[must_use]
    pub const fn reachable(self) -> u32 {
        match self {
            Self::None => 0,
            Self::One { parallelism } => parallelism,
            Self::Buckets {
                buckets,
                parallelism: [high, normal, low],
            } => buckets * (high + normal + low),
        }
    }
}

impl Capacity {
    /// Returns the simultaneous deliveries, with and without a key.
    #[must_use]
    pub const fn deliveries(&self) -> u32 {
        self.keys.reachable() + self.keyless
    }

    /// Returns whether its instances open Postgres. Other functions need no limit.
    #[must_use]
    pub const fn connects(&self) -> bool {
        self.instances.is_some()
    }
}

/// Returns an API function that opens Postgres.
const fn api(function: &'static str, instances: u32) -> Capacity {
    Capacity {
        function,
        instances: Some(instances),
        keys: Keys::None,
        keyless: 0,
    }
}

/// Returns a function that does not open Postgres.
const fn unlimited(function: &'static str, keyless: u32) -> Capacity {
    Capacity {
        function,
        instances: None,
        keys: Keys::None,
        keyless,
    }
}

/// Returns a function that only QStash calls: its instances equal the simultaneous deliveries.
const fn job(function: &'static str, keys: Keys, keyless: u32) -> Capacity {
    Capacity {
        function,
        instances: Some(keys.reachable() + keyless),
        keys,
        keyless,
    }
}

const SINGLE: Keys = Keys::One { parallelism: 1 };

/// send-email.
pub const SEND_EMAIL: Capacity = job(
    "send-email",
    Keys::Buckets {
        buckets: 3,
        parallelism: [2, 2, 1],
    },
    3,
);

/// send-notification.
pub const SEND_NOTIFICATION: Capacity = job(
    "send-notification",
    Keys::Buckets {
        buckets: 2,
        parallelism: [2, 2, 1],
    },
    2,
);

/// generate-pdf.
pub const GENERATE_PDF: Capacity = job(
    "generate-pdf",
    Keys::Buckets {
        buckets: 2,
        parallelism: [1, 1, 1],
    },
    2,
);

/// audit-log.
pub const AUDIT_LOG: Capacity = job(
    "audit-log",
    Keys::Buckets {
        buckets: 2,
        parallelism: [1, 1, 1],
    },
    2,
);

/// persist-session: its jobs belong to no tenant.
pub const PERSIST_SESSION: Capacity = job("persist-session", Keys::One { parallelism: 6 }, 1);

/// relay-outbox: pings and continuations use the key, the two schedules have none.
pub const RELAY_OUTBOX: Capacity = job("relay-outbox", Keys::One { parallelism: 2 }, 2);

/// cleanup-expired.
pub const CLEANUP_EXPIRED: Capacity = job("cleanup-expired", SINGLE, 1);

/// aggregate-analytics.
pub const AGGREGATE_ANALYTICS: Capacity = job("aggregate-analytics", SINGLE, 1);

/// check-reminders.
pub const CHECK_REMINDERS: Capacity = job("check-reminders", SINGLE, 1);

/// Every function of the design.
pub const FUNCTIONS: &[Capacity] = &[
    api("audit", 3),
    api("analytics-reports", 3),
    api("cache", 10),
    api("documents", 4),
    api("health", 2),
    api("mail-events", 5),
    api("notifications", 6),
    api("realtime", 4),
    api("reminders", 2),
    api("search", 8),
    api("search-suggestions", 4),
    api("security", 6),
    api("sessions", 20),
    api("suppressions", 2),
    api("unsubscribe", 2),
    api("user-sessions", 3),
    unlimited("analytics", 0),
    unlimited("dashboard", 0),
    unlimited("openapi", 0),
    unlimited("queue", 0),
    unlimited("queue-jobs", 0),
    unlimited("rate-limits", 0),
    unlimited("realtime-stream", 0),
    unlimited("tokens", 0),
    SEND_EMAIL,
    SEND_NOTIFICATION,
    GENERATE_PDF,
    AUDIT_LOG,
    PERSIST_SESSION,
    RELAY_OUTBOX,
    CLEANUP_EXPIRED,
    AGGREGATE_ANALYTICS,
    CHECK_REMINDERS,
    unlimited("job-failed", 5),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{FUNCTIONS, Keys, MAX_CONNECTIONS, MAX_PARALLELISM};

    #[test]
    fn connections_of_all_functions_fit_the_smallest_pooler() {
        let connections: u32 = FUNCTIONS.iter().filter_map(|it| it.instances).sum();
        assert!(connections <= MAX_CONNECTIONS, "{connections}");
    }

    #[test]
    fn deliveries_of_all_functions_fit_the_smallest_plan() {
        let deliveries: u32 = FUNCTIONS.iter().map(super::Capacity::deliveries).sum();
        assert!(deliveries <= MAX_PARALLELISM, "{deliveries}");
    }

    #[test]
    fn deliveries_of_a_function_fit_its_instances() {
        for it in FUNCTIONS {
            let fits = it
                .instances
                .is_none_or(|instances| it.deliveries() <= instances);
            assert!(fits, "{}: {}", it.function, it.deliveries());
        }
    }

    #[test]
    fn function_is_listed_once_and_every_key_has_parallelism() {
        let names: BTreeSet<&str> = FUNCTIONS.iter().map(|it| it.function).collect();
        assert_eq!(names.len(), FUNCTIONS.len());
        for it in FUNCTIONS {
            let least = match it.keys {
                Keys::None => continue,
                Keys::One { parallelism } => parallelism,
                Keys::Buckets { parallelism, .. } => parallelism.into_iter().min().unwrap(),
            };
            assert!(least > 0 && it.keyless > 0, "{}", it.function);
        }
    }
}
