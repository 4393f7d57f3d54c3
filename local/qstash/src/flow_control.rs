//! Flow control: a maximum of concurrent deliveries of a key, and of deliveries started per period.
//!
//! Source: <https://upstash.com/docs/qstash/features/flowcontrol>.

use std::sync::Arc;
use std::time::Duration;

use redb::TableDefinition;
use serde::{Deserialize, Serialize};

use crate::clock::millis;
use crate::duration;
use crate::name;
use crate::store::Record;

const MAX_PERIOD: Duration = Duration::from_hours(7 * 24);

/// The default period of a rate.
pub(crate) const DEFAULT_PERIOD_MS: u64 = 1_000;

/// Why limits are invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// The key is missing or has invalid characters.
    #[error("the key {0}")]
    Key(#[from] name::Error),
    /// Neither a parallelism nor a rate.
    #[error("a parallelism or a rate is needed")]
    Nothing,
    /// Not `name=value`, or an unknown name, or no positive number.
    #[error("`{0}` is not parallelism=<number>, rate=<number> or period=<duration>")]
    Part(String),
    /// The period is zero or longer than a week.
    #[error("the period is not between 1 ms and a week")]
    Period,
    /// The period is not a duration.
    #[error(transparent)]
    Duration(#[from] duration::Error),
}

/// A flow-control key, with the alphabet of names. Stored keys were checked by the rules of their time and are read
/// unchanged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) struct Key(Arc<str>);

impl Key {
    /// Checks a key.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        name::check(text)?;
        Ok(Self(text.into()))
    }

    /// Returns the key as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0.to_string()
    }
}

/// The limits of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FlowControl {
    /// Messages with the same key share the limits.
    pub(crate) key: Key,
    /// The limits.
    #[serde(flatten)]
    pub(crate) limits: Limits,
}

impl FlowControl {
    /// Parses `Upstash-Flow-Control-Key` and `-Value`.
    pub(crate) fn parse(key: &str, value: &str) -> Result<Self, Error> {
        Ok(Self {
            key: Key::parse(key)?,
            limits: Limits::parse(value)?,
        })
    }
}

/// A maximum of concurrent deliveries, and of deliveries per period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Limits {
    /// Deliveries at the same time.
    pub(crate) parallelism: Option<u32>,
    /// Deliveries started in a period.
    pub(crate) rate: Option<u32>,
    /// The period, in milliseconds.
    pub(crate) period_ms: u64,
}

impl Limits {
    /// Parses `parallelism=5, rate=10, period=1m`, in any order, spaces optional.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let mut limits = Self {
            period_ms: DEFAULT_PERIOD_MS,
            ..Self::default()
        };
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let wrong = || Error::Part(part.to_owned());
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            match name.trim().to_ascii_lowercase().as_str() {
                "parallelism" => limits.parallelism = Some(positive(value).ok_or_else(wrong)?),
                "rate" | "ratepersecond" => limits.rate = Some(positive(value).ok_or_else(wrong)?),
                "period" => limits.period_ms = period_ms(value)?,
                _ => return Err(wrong()),
            }
        }
        if limits.parallelism.is_none() && limits.rate.is_none() {
            return Err(Error::Nothing);
        }
        Ok(limits)
    }
}

/// Returns a period as `1m` or in seconds, in milliseconds.
pub(crate) fn period_ms(text: &str) -> Result<u64, Error> {
    let period = duration::parse_or_seconds(text)?;
    if period < Duration::from_millis(1) || period > MAX_PERIOD {
        return Err(Error::Period);
    }
    Ok(millis(period))
}

/// Returns a whole number above zero.
pub(crate) fn positive(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|number| *number > 0)
}

/// The state of a key: the limits of its latest message, the limits that an operator pinned, and whether it is paused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FlowKey {
    /// The limits of the latest message.
    pub(crate) latest: Limits,
    /// The pinned parallelism, which overrides messages.
    pub(crate) pinned_parallelism: Option<u32>,
    /// The pinned rate and period in milliseconds, which override messages.
    pub(crate) pinned_rate: Option<(u32, u64)>,
    /// Whether deliveries are paused.
    pub(crate) paused: bool,
}

impl FlowKey {
    /// Returns the effective limits.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            parallelism: self.pinned_parallelism.or(self.latest.parallelism),
            rate: self.pinned_rate.map(|(rate, _)| rate).or(self.latest.rate),
            period_ms: self
                .pinned_rate
                .map_or(self.latest.period_ms, |(_, period_ms)| period_ms)
                .max(1),
        }
    }
}

impl Record for FlowKey {
    const TABLE: TableDefinition<'static, &'static str, &'static [u8]> =
        TableDefinition::new("flow_keys");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_may_come_in_any_order_and_the_period_defaults_to_a_second() {
        let limits = Limits {
            parallelism: Some(5),
            rate: Some(10),
            period_ms: 60_000,
        };
        assert_eq!(
            Limits::parse("parallelism=5, rate=10, period=1m"),
            Ok(limits)
        );
        assert_eq!(Limits::parse("period=60,rate=10,parallelism=5"), Ok(limits));
        assert_eq!(
            Limits::parse("rate=2").map(|limits| limits.period_ms),
            Ok(1_000)
        );
    }

    #[test]
    fn limits_without_a_limit_are_refused() {
        for text in [
            "",
            "period=1m",
            "rate=0",
            "rate=-1",
            "parallelism",
            "burst=3",
            "rate=1,period=8d",
            "rate=1,period=0",
        ] {
            assert!(Limits::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn key_outside_the_alphabet_is_refused_and_one_of_an_older_store_is_read() {
        assert!(Key::parse("email-high-3").is_ok());
        for text in ["", "email:high:acme", "a@b", "a\nb", &"x".repeat(129)] {
            assert!(Key::parse(text).is_err(), "{text}");
        }
        let key: Key = serde_json::from_str("\"email:high:acme\"").expect("a key");
        assert_eq!(key.as_str(), "email:high:acme");
    }

    #[test]
    fn pinned_limit_overrides_the_latest_message() {
        let latest = Limits {
            parallelism: Some(5),
            rate: Some(10),
            period_ms: 1_000,
        };
        let key = FlowKey {
            latest,
            pinned_parallelism: Some(3),
            ..FlowKey::default()
        };
        assert_eq!(
            key.limits(),
            Limits {
                parallelism: Some(3),
                ..latest
            }
        );
    }
}
