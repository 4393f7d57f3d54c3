//! Security monitoring: failed attempts and lockouts, what speaks for and against a visitor, and the block list.
//!
//! **Lockouts.** Failures are counted for whoever makes the attempt: a known device by itself, anybody else by the
//! address. Five in a row lock for half a minute, and each further one for twice as long, up to half an hour. Twenty
//! strangers' failures lock the account for strangers, fifty from one address lock that address for strangers; a device
//! that the account knows is not concerned by either, so nobody can lock out the owner from elsewhere. A success ends
//! the account's count; behind a lock neither failures nor successes count.
//!
//! **Devices.** A device is the hash of the id that the web app keeps in a long-lived cookie (`deviceId`); where there
//! is none, of the user agent and the address, which is weaker: somebody with the same browser behind the same address
//! is then the same device. It becomes known by a successful attempt, and stays so for 90 days; an account knows the
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

/// Which lengths of prefix the block list has, such as `4/24,6/64`: what an address has to be looked up by.
pub const BLOCKED_LENGTHS: Family = Family {
    pattern: "blocklist:lengths",
    kind: "string",
    life: "none; one word for each length, 162 at most",
};

/// The blocked networks, each by its prefix, with the millisecond when it ends (0: it does not).
pub const BLOCKED_PREFIXES: Family = Family {
    pattern: "blocklist:prefixes",
    kind: "hash",
    life: "none; one field for each entry of the list, as Postgres has it, and one that says whether it is whole",
};

/// [`BLOCKED_LENGTHS`] while the copy is made anew.
pub const NEXT_LENGTHS: Family = Family {
    pattern: "blocklist:next:lengths",
    kind: "string",
    life: "while the copy of the block list is made anew; one that was left over is the first to go the next time",
};

/// [`BLOCKED_PREFIXES`] while the copy is made anew.
pub const NEXT_PREFIXES: Family = Family {
    pattern: "blocklist:next:prefixes",
    kind: "hash",
    life: "while the copy of the block list is made anew; one that was left over is the first to go the next time",
};

/// Security events that Postgres has not been told.
pub const PENDING_EVENTS: Family = Family {
    pattern: "security_events:untold",
    kind: "list",
    life: "until Postgres has them; 1,000 entries",
};

/// Until when an address is locked out, because too much has failed from it.
pub const ADDRESS_LOCKOUT: Family = Family {
    pattern: "lockout:{address}",
    kind: "string",
    life: "the lockout: 30 minutes at most",
};

/// What failed for an account, for one device or address, or from an address.
pub const FAILURES: Family = Family {
    pattern: "failed_attempts:{sha256}",
    kind: "hash",
    life: "24 hours after the last attempt",
};

/// What failed from an address, over all accounts.
pub const ADDRESS_FAILURES: Family = Family {
    pattern: "failed_attempts:address:{address}",
    kind: "string",
    life: "24 hours after the last failure",
};

/// The devices that an account knows.
pub const DEVICES: Family = Family {
    pattern: "known_devices:{sha256}",
    kind: "sorted set",
    life: "90 days after the last success; 20 members",
};

/// How many addresses were seen for an account.
pub const ADDRESSES: Family = Family {
    pattern: "seen_addresses:{sha256}",
    kind: "HyperLogLog",
    life: "an hour after the last attempt; 12 KB",
};

/// How many accounts were seen from an address.
pub const ACCOUNTS: Family = Family {
    pattern: "seen_accounts:{address}",
    kind: "HyperLogLog",
    life: "an hour after the last attempt; 12 KB",
};

/// What an attempt was answered, for a repetition of its request.
pub const ATTEMPT_ANSWER: Family = Family {
    pattern: "attempt_answer:{nonce}",
    kind: "string",
    life: "a minute: longer than a request can be repeated",
};

/// How often an address was denied in a row.
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

// A repetition is recognised by its nonce.
static ATTEMPT: Script = Script::repeatable(key_locked!(include_str!("lua/attempt.lua")));

// A repetition may count a refusal twice, which errs on the strict side.
static ASSESS: Script = Script::repeatable(key_locked!(
    include_str!("lua/list.lua"),
    include_str!("lua/assess.lua")
));

// Repeating it changes nothing.
static BLOCK: Script = Script::repeatable(key_locked!(include_str!("lua/block.lua")));
static REPLACE: Script = Script::repeatable(key_locked!(include_str!("lua/replace.lua")));
static UNFINISHED: Script = Script::new(key_locked!(include_str!("lua/unfinished.lua")));

/// Why security could not be looked after.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Redis did not take the call.
    #[error("attempts and lockouts are unavailable")]
    Redis(#[from] upstash::Error),
    /// The database did not take the statement; the cause says whether it may be tried again.
    #[error("security events and the block list are unavailable")]
    Postgres(#[from] postgres::Error),
    /// What came back is not what was written.
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
    /// Security of a migrated database and its Redis. What an owner has to be told goes by `publisher`.
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
