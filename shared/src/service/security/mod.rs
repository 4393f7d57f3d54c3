//! Security monitoring: failed attempts and lockouts, the assessment of visitors, and the block list.
//!
//! **Lockouts.** Failures are counted per visitor: a known device by itself, any other visitor by the address. Five
//! consecutive failures lock for half a minute. Each further one doubles the lockout, up to half an hour. Twenty
//! failures of unknown devices lock the account for unknown devices. Fifty from one address lock that address for
//! unknown devices. Neither affects a device that the account knows, so an attacker cannot lock out the owner. A
//! success resets the account's count. During a lockout, neither failures nor successes count.
//!
//! **Devices.** A device is the hash of the id that the web app keeps in a long-lived cookie (`deviceId`). Without one,
//! it is the hash of the user agent and the address, which is weaker: the same browser behind the same address is then
//! the same device. A device becomes known by a successful attempt, and stays known for 90 days. An account knows the
//! last twenty.

mod agent;
mod assess;
mod attempt;
mod blocklist;
mod event;
mod probe;
mod reconciler;
mod visitor;

use crate::protocol::postgres;
use crate::protocol::upstash::{self, Script, key_locked};
use crate::service::job::{Jobs, Publisher};
use crate::service::key::Family;
use crate::service::outbox::Outbox;
use crate::service::outbox::job_relay::JobRelay;

pub use assess::{Assessment, Verdict};
pub use attempt::{Attempt, Outcome};
pub use blocklist::{Blocked, Blocklist, Entry};
pub use reconciler::{Reconciled, Reconciler};
pub use visitor::Visitor;

use crate::protocol::postgres::Postgres;
use crate::protocol::upstash::Redis;

/// The prefix lengths of the block list, such as `4/24,6/64`, with which an address is looked up.
pub const BLOCKED_LENGTHS: Family = Family {
    pattern: "blocklist:lengths",
    kind: "string",
    life: "none; one entry for each length, at most 162",
};

/// The blocked networks, each by its prefix, with the millisecond of its end (0: never).
pub const BLOCKED_PREFIXES: Family = Family {
    pattern: "blocklist:prefixes",
    kind: "hash",
    life: "none; one field for each entry of the list in Postgres, and one for changes in progress",
};

/// [`BLOCKED_LENGTHS`] while the copy is rebuilt.
pub const NEXT_LENGTHS: Family = Family {
    pattern: "blocklist:next:lengths",
    kind: "string",
    life: "while the copy of the block list is rebuilt; a leftover is deleted by the next rebuild",
};

/// [`BLOCKED_PREFIXES`] while the copy is rebuilt.
pub const NEXT_PREFIXES: Family = Family {
    pattern: "blocklist:next:prefixes",
    kind: "hash",
    life: "while the copy of the block list is rebuilt; a leftover is deleted by the next rebuild",
};

/// Security events that are not in Postgres yet.
pub const PENDING_EVENTS: Family = Family {
    pattern: "security_events:untold",
    kind: "list",
    life: "until Postgres has them; 1,000 entries",
};

/// When the lockout of an address ends, after too many failed attempts.
pub const ADDRESS_LOCKOUT: Family = Family {
    pattern: "lockout:{address}",
    kind: "string",
    life: "the lockout: 30 minutes at most",
};

/// The failures of an account, for one device or address, or from an address.
pub const FAILURES: Family = Family {
    pattern: "failed_attempts:{sha256}",
    kind: "hash",
    life: "24 hours after the last attempt",
};

/// The failures from an address, over all accounts.
pub const ADDRESS_FAILURES: Family = Family {
    pattern: "failed_attempts:address:{address}",
    kind: "string",
    life: "24 hours after the last failure",
};

/// The known devices of an account.
pub const DEVICES: Family = Family {
    pattern: "known_devices:{sha256}",
    kind: "sorted set",
    life: "90 days after the last success; 20 members",
};

/// The number of addresses seen for an account.
pub const ADDRESSES: Family = Family {
    pattern: "seen_addresses:{sha256}",
    kind: "HyperLogLog",
    life: "an hour after the last attempt; 12 KB",
};

/// The number of accounts seen from an address.
pub const ACCOUNTS: Family = Family {
    pattern: "seen_accounts:{address}",
    kind: "HyperLogLog",
    life: "an hour after the last attempt; 12 KB",
};

/// The stored answer of an attempt, for a repeated request.
pub const ATTEMPT_ANSWER: Family = Family {
    pattern: "attempt_answer:{nonce}",
    kind: "string",
    life: "a minute: longer than a request can be repeated",
};

/// The consecutive denials of an address.
pub const REFUSALS: Family = Family {
    pattern: "refusals:{address}",
    kind: "string",
    life: "an hour after the last refusal",
};

/// The families of this service.
pub const KEYS: &[&Family] = &[
    &BLOCKED_LENGTHS,
    &BLOCKED_PREFIXES,
    &NEXT_LENGTHS,
    &NEXT_PREFIXES,
    &PENDING_EVENTS,
    &ADDRESS_LOCKOUT,
    &FAILURES,
    &ADDRESS_FAILURES,
    &DEVICES,
    &ADDRESSES,
    &ACCOUNTS,
    &ATTEMPT_ANSWER,
    &REFUSALS,
];

// A repetition is recognized by its nonce.
static ATTEMPT: Script = Script::repeatable(key_locked!(include_str!("lua/attempt.lua")));

// A repetition may count a denial twice, which errs on the strict side.
static ASSESS: Script = Script::repeatable(key_locked!(
    include_str!("lua/list.lua"),
    include_str!("lua/assess.lua")
));

// Repeating it changes nothing.
static BLOCK: Script = Script::repeatable(key_locked!(include_str!("lua/block.lua")));
static REPLACE: Script = Script::repeatable(key_locked!(include_str!("lua/replace.lua")));
static UNFINISHED: Script = Script::new(key_locked!(include_str!("lua/unfinished.lua")));

/// Why a security operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Redis is unavailable.
    #[error("attempts and lockouts are unavailable")]
    Redis(#[from] upstash::Error),
    /// The statement failed; the cause says whether a retry is useful.
    #[error("security events and the block list are unavailable")]
    Postgres(#[from] postgres::Error),
    /// The database returned an unexpected value.
    #[error("the security data has a value that this version does not know")]
    Unreadable,
}

/// Attempts and assessments.
#[derive(Clone, Debug)]
pub struct Security {
    redis: Redis,
    postgres: Postgres,
    outbox: Outbox,
    job_relay: JobRelay,
}

impl Security {
    /// Returns the security service of a migrated database and its Redis. `publisher` publishes the mails to owners.
    #[must_use]
    pub fn new(redis: Redis, postgres: Postgres, publisher: Publisher) -> Self {
        Self {
            outbox: Outbox::new(postgres.clone()),
            job_relay: JobRelay {
                jobs: Jobs::new(redis.clone()),
                publisher,
            },
            redis,
            postgres,
        }
    }
}
