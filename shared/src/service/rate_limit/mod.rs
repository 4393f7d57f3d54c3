//! Rate limits per identifier and time window.
//!
//! Keys, values, arithmetic and expiry are those of @upstash/ratelimit 2.2 (single region, without dynamic limits). So
//! the TypeScript client and these functions share one budget. Both must use the same canonical identifier:
//!
//! - an acting user: `{userId}:{address}`, or `{userId}` if no address is known;
//! - an address: IPv4 unchanged, IPv6 as its /64: `2001:db8:1:2::/64` (`base::network::subscriber`);
//! - a recipient of mails: the address in lower case.
//!
//! As in that client, the caller's clock dates a call, not the store's. A window lasts at least a minute, clocks in
//! Lambda differ by milliseconds, and reading the store's time would add a command to every call.
//!
//! A call that is repeated after a broken connection may count twice. This errs on the strict side by one, which costs
//! less than a read that is not repeated.

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

/// The admitted and rejected requests of each limiter, by hour.
pub const COUNTS: Family = Family {
    pattern: "rate_limit_counts:{date}",
    kind: "hash",
    life: "8 days; two fields for each limiter and hour",
};

/// The rejections of each identifier on a day.
pub const REFUSED: Family = Family {
    pattern: "rate_limit_refused:{date}",
    kind: "sorted set",
    life: "8 days; 1,000 members, beyond which the half with the lower counts is dropped",
};

/// The families of the limiters.
pub const LIMITER_KEYS: &[&Family] = limiter::KEYS;

/// The families of the statistics.
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

/// Rate limits in a store. Clones share the remembered rejections.
#[derive(Clone, Debug)]
pub struct RateLimits {
    redis: Redis,
    clock: Clock,
    memory: Memory,
}

impl RateLimits {
    /// Returns limits that are counted in `redis` and dated by `clock`.
    #[must_use]
    pub fn new(redis: Redis, clock: Clock) -> Self {
        Self {
            redis,
            clock,
            memory: Memory::default(),
        }
    }
}
