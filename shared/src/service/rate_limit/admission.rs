//! Admission of a request: one script call for the block list, the lockout of an address and all limits.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::limiter::{Algorithm, Limit};
use super::{ADMIT, COUNTS, REFUSED, RateLimits};
use crate::base::network;
use crate::protocol::upstash::{self, FromReply as _, Invocation, Reply};
use crate::service::security;

/// How long counts are kept.
const COUNTS_LIFE: Duration = Duration::from_hours(8 * 24);

/// The checks of a request.
#[derive(Clone, Debug)]
pub struct Admission {
    /// The limits, checked in this order until one rejects. At least one.
    pub claims: Vec<Claim>,
    /// The address to check against the block list, if it is known.
    pub address: Option<IpAddr>,
    /// Whether a lockout of the address is checked too.
    pub checks_lockout: bool,
}

/// The use of a limit by one identifier.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The limit.
    pub limit: Limit,
    /// The canonical identifier.
    pub identifier: String,
    /// The cost: 1 for a request; a negative cost gives tokens back.
    pub cost: i64,
}

/// Whether a request is admitted, and the values for its response headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Why it is rejected; none if it is admitted.
    pub refusal: Option<Reason>,
    /// The limit that decided, or the one with the least remaining.
    pub limit: u64,
    /// The remaining requests.
    pub remaining: u64,
    /// The end of the current window, or the next refill of the bucket.
    pub reset: Timestamp,
    /// The wait before the same request may be admitted; zero if it is admitted now, or if waiting does not help.
    pub wait: Duration,
}

/// Why a request is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A limit is used up.
    Limited,
    /// The address is on the block list.
    Blocked,
    /// The address has too many failed attempts.
    LockedOut,
}

impl Claim {
    /// Returns the claim of one request.
    #[must_use]
    pub fn one(limit: Limit, identifier: String) -> Self {
        Self {
            limit,
            identifier,
            cost: 1,
        }
    }

    /// Returns the key without its window.
    pub(super) fn key(&self) -> String {
        self.limit.limiter.keys.key(&self.identifier)
    }
}

impl RateLimits {
    /// Takes `cost` from a limit. Sends one request, or none if the identifier was rejected and its wait is not over.
    pub async fn limit(&self, claim: Claim) -> Result<Verdict, upstash::Error> {
        let admission = Admission {
            claims: vec![claim],
            address: None,
            checks_lockout: false,
        };
        if let Some(verdict) = self.remembered(&admission) {
            return Ok(verdict);
        }
        let reply = self.redis.eval(self.call(&admission)).await?;
        self.answer(&admission, reply)
    }

    /// Returns the verdict for an identifier whose last rejection still holds. Nothing is sent; the next call that is
    /// sent counts this rejection.
    #[must_use]
    pub fn remembered(&self, admission: &Admission) -> Option<Verdict> {
        let now = self.clock.now();
        let claims = admission.claims.iter();
        claims
            .filter(|claim| claim.cost > 0)
            .find_map(|claim| self.memory.refused(&claim.key(), now))
    }

    /// Returns the script call. Read its reply with [`Self::answer`].
    #[must_use]
    pub fn call(&self, admission: &Admission) -> Invocation {
        let now = self.clock.now();
        let day = now.to_zoned_datetime(TimeZone::UTC);
        let date = day.date().to_string();
        let address = admission.address.map(network::plain);
        let family = match address {
            None => "",
            Some(IpAddr::V4(_)) => "4",
            Some(IpAddr::V6(_)) => "6",
        };
        let subscriber = address.map(network::subscriber).unwrap_or_default();
        let mut call = ADMIT
            .invoke()
            .key(COUNTS.key(&date))
            .key(REFUSED.key(&date))
            .key(security::BLOCKED_LENGTHS.key(""))
            .key(security::BLOCKED_PREFIXES.key(""))
            .key(security::ADDRESS_LOCKOUT.key(&subscriber))
            .arg(now.as_millisecond())
            .arg(family)
            .arg(address.map(network::digits).unwrap_or_default())
            .arg(u8::from(admission.checks_lockout))
            .arg(format!("{:02}", day.hour()))
            .arg(COUNTS_LIFE.as_millis())
            .arg(subscriber);
        for claim in &admission.claims {
            let Limit { limiter, rate } = claim.limit;
            let (algorithm, refill) = match limiter.algorithm {
                Algorithm::FixedWindow => ("fixed", 0),
                Algorithm::SlidingWindow => ("sliding", 0),
                Algorithm::TokenBucket { refill } => ("bucket", refill),
            };
            call = call
                .arg(limiter.name)
                .arg(&claim.identifier)
                .arg(algorithm)
                .arg(rate.count)
                .arg(rate.window.as_millis())
                .arg(refill)
                .arg(claim.cost)
                .arg(self.memory.take_missed(&claim.key()))
                .keys(claim.limit.keys(&claim.identifier, now));
        }
        call
    }

    /// Reads the reply to [`Self::call`], and remembers a rejection.
    pub fn answer(&self, admission: &Admission, reply: Reply) -> Result<Verdict, upstash::Error> {
        let numbers = Vec::<i64>::from_reply(reply)?;
        let verdict = read(admission, &numbers)
            .ok_or_else(|| upstash::Error::Decode(format!("no verdict: {numbers:?}")))?;
        let claim = numbers.get(1).and_then(|place| decided(admission, *place));
        match (verdict.refusal, claim) {
            (Some(Reason::Limited), Some(claim)) if claim.cost == 1 => {
                self.memory.refuse(claim.key(), &verdict, self.clock.now());
            }
            (None, Some(claim)) if claim.cost < 0 => self.memory.forget(&claim.key()),
            _ => {}
        }
        Ok(verdict)
    }
}

/// Returns whether a reply to [`RateLimits::call`] admits the request, before the whole reply is read.
#[must_use]
pub fn passes(reply: &Reply) -> bool {
    matches!(reply, Reply::Array(numbers) if numbers.first() == Some(&Reply::Integer(0)))
}

/// Returns the claim at a position of the script's answer: positions start at 1.
fn decided(admission: &Admission, place: i64) -> Option<&Claim> {
    let place = usize::try_from(place).ok()?.checked_sub(1)?;
    admission.claims.get(place)
}

fn read(admission: &Admission, numbers: &[i64]) -> Option<Verdict> {
    let &[verdict, place, remaining, reset, wait] = numbers else {
        return None;
    };
    let refusal = match verdict {
        0 => None,
        1 => Some(Reason::Limited),
        2 => Some(Reason::Blocked),
        3 => Some(Reason::LockedOut),
        _ => return None,
    };
    Some(Verdict {
        refusal,
        limit: decided(admission, place)?.limit.rate.count,
        remaining: u64::try_from(remaining).ok()?,
        reset: Timestamp::from_millisecond(reset).ok()?,
        wait: Duration::from_millis(u64::try_from(wait).ok()?),
    })
}
