//! Analytics: the two daily counters that health shows.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::protocol::upstash::{self, Command, Pipeline, Redis, Replies};
use crate::service::key::Family;

/// How long a day's counter is kept: 400 days, so that a year can be compared with the previous one.
const LIFE: Duration = Duration::from_hours(24 * 400);

/// The document views of a day (UTC).
pub const DOCUMENT_VIEWS: Family = Family {
    pattern: "analytics:doc_views:{date}",
    kind: "string",
    life: "400 days after the last count",
};

/// The completed signatures of a day (UTC).
pub const SIGNATURES: Family = Family {
    pattern: "analytics:signatures:{date}",
    kind: "string",
    life: "400 days after the last count",
};

/// All families of this service.
pub const KEYS: &[&Family] = &[&DOCUMENT_VIEWS, &SIGNATURES];

/// A counted event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayCounter {
    /// A document was viewed.
    DocumentViews,
    /// A signature was completed.
    Signatures,
}

impl DayCounter {
    fn key(self, at: Timestamp) -> String {
        let date = at.to_zoned_datetime(TimeZone::UTC).date().to_string();
        match self {
            Self::DocumentViews => DOCUMENT_VIEWS.key(&date),
            Self::Signatures => SIGNATURES.key(&date),
        }
    }
}

/// Increments the counter of the day of `at`. Not repeated after a broken connection: one too few is better than one
/// too many.
pub async fn count(
    redis: &Redis,
    counter: DayCounter,
    at: Timestamp,
) -> Result<u64, upstash::Error> {
    let key = counter.key(at);
    let mut replies = redis
        .pipeline(
            Pipeline::new()
                .command(Command::new("INCR").arg(&key))
                .command(Command::new("EXPIRE").arg(&key).arg(LIFE.as_secs())),
        )
        .await?;
    replies.take()
}

/// The counters of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Today {
    /// Documents viewed.
    pub views: u64,
    /// Signatures completed.
    pub signatures: u64,
}

/// Returns the command that reads a day's counters, to be sent together with others.
#[must_use]
pub fn ask_today(pipeline: Pipeline, now: Timestamp) -> Pipeline {
    pipeline.command(
        Command::new("MGET")
            .arg(DayCounter::DocumentViews.key(now))
            .arg(DayCounter::Signatures.key(now)),
    )
}

/// Reads the answer to [`ask_today`].
pub fn read_today(replies: &mut Replies) -> Result<Today, upstash::Error> {
    let counts = replies.take::<Vec<Option<u64>>>()?;
    let count = |place: usize| counts.get(place).copied().flatten().unwrap_or_default();
    Ok(Today {
        views: count(0),
        signatures: count(1),
    })
}
