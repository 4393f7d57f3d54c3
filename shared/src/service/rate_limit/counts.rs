//! The statistics of a day: admitted and rejected requests by hour, and the identifiers with the most rejections.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::limiter::Limiter;
use super::{COUNTS, REFUSED, RateLimits};
use crate::protocol::upstash::{self, Command, Pairs, Pipeline};

/// The number of identifiers that are listed.
const MAX_NAMED: u32 = 20;

/// The statistics of a limiter in one hour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Hour {
    /// The hour of the day (UTC), in two digits.
    pub hour: String,
    /// Requests allowed in the hour.
    pub allowed: u64,
    /// Requests rejected in the hour.
    pub refused: u64,
}

/// An identifier that was rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Refused {
    /// The limiter that rejected it.
    pub limiter: String,
    /// The identifier that the limiter counts by.
    pub identifier: String,
    /// The number of rejections on the day; a minimum if there were very many.
    pub count: u64,
}

/// The statistics of all limiters on a day.
#[derive(Clone, Debug)]
pub struct Day {
    /// By `hour:limiter:outcome`.
    counts: BTreeMap<String, u64>,
    /// The identifiers with the most rejections, in descending order.
    pub most_refused: Vec<Refused>,
}

impl Day {
    /// Returns the hours in which a limiter was used.
    #[must_use]
    pub fn hours_of(&self, limiter: &Limiter) -> Vec<Hour> {
        let mut hours: BTreeMap<&str, Hour> = BTreeMap::new();
        for (field, count) in &self.counts {
            let mut parts = field.split(':');
            let (Some(hour), Some(name), Some(outcome)) =
                (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            if name != limiter.name {
                continue;
            }
            let entry = hours.entry(hour).or_default();
            hour.clone_into(&mut entry.hour);
            match outcome {
                "allowed" => entry.allowed = *count,
                _ => entry.refused = *count,
            }
        }
        hours.into_values().collect()
    }
}

impl RateLimits {
    /// Returns the statistics of a day (UTC), in one request. A week is kept.
    pub async fn day(&self, date: Date) -> Result<Day, upstash::Error> {
        let date = date.to_string();
        let named = Command::new("ZRANGE")
            .arg(REFUSED.key(&date))
            .arg(0)
            .arg(MAX_NAMED - 1)
            .arg("REV")
            .arg("WITHSCORES");
        let pipeline = Pipeline::new()
            .command(Command::new("HGETALL").arg(COUNTS.key(&date)))
            .command(named);
        let mut replies = self.redis.pipeline(pipeline).await?;
        let Pairs(counts) = replies.take::<Pairs<String, u64>>()?;
        let Pairs(named) = replies.take::<Pairs<String, u64>>()?;
        let refused = named.into_iter().filter_map(|(member, count)| {
            let (limiter, identifier) = member.split_once(' ')?;
            Some(Refused {
                limiter: limiter.to_owned(),
                identifier: identifier.to_owned(),
                count,
            })
        });
        Ok(Day {
            counts: counts.into_iter().collect(),
            most_refused: refused.collect(),
        })
    }
}
