//! The remaining requests of a limit, read without taking any.

use jiff::Timestamp;

use super::limiter::{Algorithm, Limit};
use super::{REMAINING, RateLimits};
use crate::protocol::upstash;

/// The remaining requests of a limit, and its reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remaining {
    /// The remaining requests.
    pub remaining: u64,
    /// The end of the current window, or the next refill of the bucket.
    pub reset: Timestamp,
}

impl RateLimits {
    /// Returns the remaining requests of an identifier, in one request.
    pub async fn remaining(
        &self,
        limit: &Limit,
        identifier: &str,
    ) -> Result<Remaining, upstash::Error> {
        let algorithm = match limit.limiter.algorithm {
            Algorithm::FixedWindow => "fixed",
            Algorithm::SlidingWindow => "sliding",
            Algorithm::TokenBucket { .. } => "bucket",
        };
        let now = self.clock.now();
        let call = REMAINING
            .invoke()
            .keys(limit.keys(identifier, now))
            .arg(now.as_millisecond())
            .arg(algorithm)
            .arg(limit.rate.count)
            .arg(limit.rate.window.as_millis());
        let numbers: Vec<i64> = self.redis.eval(call).await?;
        let read = || {
            let &[remaining, reset] = numbers.as_slice() else {
                return None;
            };
            Some(Remaining {
                remaining: u64::try_from(remaining).ok()?,
                reset: Timestamp::from_millisecond(reset).ok()?,
            })
        };
        read().ok_or_else(|| upstash::Error::Decode(format!("no remaining: {numbers:?}")))
    }
}
