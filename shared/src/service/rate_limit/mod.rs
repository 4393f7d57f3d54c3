//! Rate limits: so many of something for somebody in so long a time.
//!
//! Keys, values, arithmetic and expiry are those of @upstash/ratelimit 2.2 (single region, without dynamic limits), so
//! that a budget that is spent through the TypeScript client counts here, and the other way round. Both must name
//! whom they count by the same string, the canonical identifier:
//!
//! - an acting user: `{userId}:{address}`, or `{userId}` where no address is known;
//! - an address: IPv4 as it is written, IPv6 as its /64: `2001:db8:1:2::/64` (`base::network::subscriber`);
//! - a recipient of mails: the address in lower case.
//!
//! As with that client, a call is dated by who makes it and not by the store: a window lasts a minute or more, clocks
//! in Lambda differ by milliseconds, and asking the store for the time would be one more command of every call.
//!
//! A call that is repeated after a broken connection may count twice. That errs on the strict side by one, which
//! costs less than a read that is not repeated.

mod admission;
mod counts;
mod limiter;
mod memory;
mod rate;
mod remaining;

use crate::base::clock::Clock;
use crate::protocol::upstash::{Redis, Script, key_locked};
use crate::service::key::Family;

pub use admission::{Admission, Claim, Reason, Verdict, passes};
pub use counts::{Day, Hour, Refused};
pub use limiter::{
    ALL, API, AUTH, Algorithm, CORPORATE_ADMIN, DATAROOM_PASSWORD, EMAIL, LINK_PASSWORD, Limit,
    Limiter, OnOutage, PDF_GENERATION, PUBLIC, SERVICE, SIGNATURE, SIGNATURE_BULK,
    SIGNATURE_REMINDER, TOTP, VERIFY,
};
pub use rate::{InvalidRate, Rate};
pub use remaining::Remaining;

use memory::Memory;

/// How often each limiter let pass and refused, by the hour.
pub const COUNTS: Family = Family {
    pattern: "rate_limit_counts:{date}",
    kind: "hash",
    life: "8 days; two fields for each limiter and hour",
};

/// Who was refused how often on a day.
pub const REFUSED: Family = Family {
    pattern: "rate_limit_refused:{date}",
    kind: "sorted set",
    life: "8 days; 1,000 members, beyond which the lesser half goes",
};

/// The families of the limiters.
pub const LIMITER_KEYS: &[&Family] = limiter::KEYS;

/// The families of what was decided.
pub const KEYS: &[&Family] = &[&COUNTS, &REFUSED];

// A repetition may count a call twice: see above.
static ADMIT: Script = Script::repeatable(key_locked!(
    include_str!("../security/lua/list.lua"),
    include_str!("lua/arithmetic.lua"),
    include_str!("lua/admit.lua")
));

static REMAINING: Script = Script::repeatable(key_locked!(
    include_str!("lua/arithmetic.lua"),
    include_str!("lua/remaining.lua")
));

/// Counts at a store. Clones share what they remember of those who were refused.
#[derive(Clone, Debug)]
pub struct RateLimits {
    redis: Redis,
    clock: Clock,
    memory: Memory,
}

impl RateLimits {
    /// Limits that are counted in `redis` and dated by `clock`.
    #[must_use]
    pub fn new(redis: Redis, clock: Clock) -> Self {
        Self {
            redis,
            clock,
            memory: Memory::default(),
        }
    }
}
