//! Cache statistics: three counters for each kind, in one hash for each day.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{AnyKind, Error};
use crate::base::clock::Clock;
use crate::protocol::upstash::{Command, Pairs, Redis};
use crate::service::key::Family;

/// How long the statistics of a day are kept.
pub(super) const LIFE: Duration = Duration::from_hours(24 * 30);

/// The statistics of a day (UTC): a field for each kind and outcome.
pub(super) const FIGURES: Family = Family {
    pattern: "cache_stats:{date}",
    kind: "hash",
    life: "30 days; three fields for each kind",
};

/// The cache statistics of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// The day (UTC).
    pub date: Date,
    /// The statistics of each kind.
    pub kinds: Vec<(&'static str, KindFigures)>,
}

/// The cache statistics of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct KindFigures {
    /// Reads answered by a fresh entry.
    pub hits: u64,
    /// Reads answered by the database.
    pub misses: u64,
    /// Reads answered by a stale entry while another read refreshed it.
    pub stale: u64,
}

/// Returns the day (UTC) by this machine's clock.
pub(super) fn today() -> String {
    day(Clock::system().now()).to_string()
}

fn day(at: Timestamp) -> Date {
    at.to_zoned_datetime(TimeZone::UTC).date()
}

pub(super) async fn figures(redis: &Redis, date: Option<Date>) -> Result<Figures, Error> {
    let date = date.unwrap_or_else(|| day(Clock::system().now()));
    let key = FIGURES.key(&date.to_string());
    let command = Command::new("HGETALL").arg(key);
    let Pairs(counters) = redis.run::<Pairs<String, u64>>(command).await?;
    let count = |kind: &str, outcome: &str| {
        let field = format!("{kind}:{outcome}");
        let found = counters.iter().find(|(name, _)| *name == field);
        found.map_or(0, |(_, count)| *count)
    };
    let kinds = AnyKind::ALL.map(|kind| {
        let name = kind.name();
        let figures = KindFigures {
            hits: count(name, "hit"),
            misses: count(name, "miss"),
            stale: count(name, "stale"),
        };
        (name, figures)
    });
    Ok(Figures {
        date,
        kinds: kinds.into(),
    })
}
