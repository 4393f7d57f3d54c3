//! The limits of an account's plan.
//!
//! Sources: the pricing page (<https://upstash.com/pricing/qstash>), the account's fields in the developer API, and the
//! pages of the features. Undocumented limits use the stricter guess and are marked as guesses.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::clock::millis;
use crate::options::{Options, Start};
use crate::publish::Now;

const DAY: Duration = Duration::from_hours(24);
const MEBIBYTE: usize = 1024 * 1024;

/// The maximum number of retries. The account shows it on the free plan too.
const RETRIES: u32 = 999;

/// An account's plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Plan {
    /// Free; a thousand messages a day.
    Free,
    /// Billed per message.
    #[default]
    PayAsYouGo,
    /// Billed per month: the smallest of the fixed plans.
    Fixed,
}

impl Plan {
    /// Returns the plan's name on a command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::PayAsYouGo => "pay-as-you-go",
            Self::Fixed => "fixed",
        }
    }

    /// Returns the plan's limits.
    pub(crate) fn limits(self) -> PlanLimits {
        match self {
            Self::Free => PlanLimits {
                message_bytes: MEBIBYTE,
                delay: Some(7 * DAY),
                schedules: 10,
                queues: 10,
                queue_parallelism: 2,
                url_groups: 1,
                endpoints: 100,
                parallelism: 10,
                timeout: Duration::from_mins(15),
                dead_letter_retention: 3 * DAY,
                messages_a_day: Some(1_000),
                calls_a_second: 100,
            },
            Self::PayAsYouGo => PlanLimits {
                message_bytes: 10 * MEBIBYTE,
                delay: Some(365 * DAY),
                schedules: 1_000, // more are billed, it is said; a guess that they are refused
                queues: 100,
                queue_parallelism: 100, // a guess: what holds over all keys
                url_groups: 100,
                endpoints: 100,
                parallelism: 100,
                timeout: Duration::from_hours(2),
                dead_letter_retention: 7 * DAY,
                messages_a_day: None,
                calls_a_second: 100, // a guess: the free plan's
            },
            Self::Fixed => PlanLimits {
                message_bytes: 50 * MEBIBYTE,
                delay: None,
                schedules: 1_000, // a guess: what pay-as-you-go has
                queues: 100,      // a guess: what pay-as-you-go has
                queue_parallelism: 200,
                url_groups: 100, // a guess: what pay-as-you-go has
                endpoints: 100,
                parallelism: 200,
                timeout: Duration::from_hours(2), // a guess: custom, it is said
                dead_letter_retention: 30 * DAY,
                messages_a_day: Some(1_000_000),
                calls_a_second: 100, // a guess: the free plan's
            },
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The text is not a plan's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use free, pay-as-you-go or fixed")]
pub struct UnknownPlan;

impl FromStr for Plan {
    type Err = UnknownPlan;

    fn from_str(name: &str) -> Result<Self, UnknownPlan> {
        [Self::Free, Self::PayAsYouGo, Self::Fixed]
            .into_iter()
            .find(|plan| plan.name() == name)
            .ok_or(UnknownPlan)
    }
}

/// The limits of a plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlanLimits {
    /// Bytes of one message's body.
    pub(crate) message_bytes: usize,
    /// The longest `Upstash-Delay` and distance of `Upstash-Not-Before`; none: no limit.
    pub(crate) delay: Option<Duration>,
    /// Maximum number of schedules.
    pub(crate) schedules: usize,
    /// Maximum number of queues.
    pub(crate) queues: usize,
    /// The parallelism of one queue.
    pub(crate) queue_parallelism: u32,
    /// Maximum number of URL groups.
    pub(crate) url_groups: usize,
    /// Endpoints of one URL group.
    pub(crate) endpoints: usize,
    /// Concurrent deliveries over all keys and queues.
    pub(crate) parallelism: usize,
    /// The timeout of a receiver; a message can only shorten it.
    pub(crate) timeout: Duration,
    /// How long the dead-letter queue keeps an entry.
    pub(crate) dead_letter_retention: Duration,
    /// Delivery attempts per day; none: no limit.
    pub(crate) messages_a_day: Option<u64>,
    /// Management calls per second.
    pub(crate) calls_a_second: u32,
}

/// A violation of the plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// The body is too large.
    #[error("the message has {given} bytes: the plan allows {allowed}")]
    MessageSize {
        /// Bytes of the body.
        given: usize,
        /// Bytes that the plan allows.
        allowed: usize,
    },
    /// The number is too large.
    #[error("{what} is {given}: the plan allows {allowed}")]
    Number {
        /// The name of the header or member.
        what: &'static str,
        /// The given number.
        given: u64,
        /// The plan's limit.
        allowed: u64,
    },
    /// The plan's number of resources is reached.
    #[error("the plan allows {allowed} {what}: delete one first")]
    Count {
        /// The kind of resource.
        what: &'static str,
        /// The plan's limit.
        allowed: usize,
    },
}

impl PlanLimits {
    /// Checks a message, and the options of its callbacks.
    pub(crate) fn check_message(
        &self,
        options: &Options,
        body_bytes: usize,
        now: Now,
    ) -> Result<(), Error> {
        if body_bytes > self.message_bytes {
            return Err(Error::MessageSize {
                given: body_bytes,
                allowed: self.message_bytes,
            });
        }
        self.check_start(options.start, now)?;
        let callbacks = options.callback.iter().chain(&options.failure_callback);
        let all = callbacks.map(|callback| &callback.options);
        for asked in std::iter::once(options).chain(all) {
            within(
                "Upstash-Retries",
                asked.max_retries().into(),
                RETRIES.into(),
            )?;
        }
        Ok(())
    }

    fn check_start(&self, start: Start, now: Now) -> Result<(), Error> {
        let Some(allowed) = self.delay else {
            return Ok(());
        };
        let (what, delay_ms) = match start {
            Start::Now => return Ok(()),
            Start::After(delay_ms) => ("Upstash-Delay in seconds", delay_ms),
            Start::At(at_ms) => (
                "Upstash-Not-Before in seconds from now",
                at_ms.saturating_sub(now.wall_ms),
            ),
        };
        if delay_ms <= millis(allowed) {
            return Ok(());
        }
        Err(Error::Number {
            what,
            given: delay_ms.div_ceil(1_000),
            allowed: allowed.as_secs(),
        })
    }

    /// Checks the parallelism of a queue.
    pub(crate) fn check_queue_parallelism(&self, given: u32) -> Result<(), Error> {
        within("parallelism", given.into(), self.queue_parallelism.into())
    }

    /// Checks the number of endpoints of a group.
    pub(crate) fn check_endpoints(&self, there: usize) -> Result<(), Error> {
        if there > self.endpoints {
            return Err(Error::Count {
                what: "endpoints of a URL group",
                allowed: self.endpoints,
            });
        }
        Ok(())
    }

    /// Checks whether there is room for one more schedule.
    pub(crate) fn check_schedules(&self, there: usize) -> Result<(), Error> {
        room("schedules", there, self.schedules)
    }

    /// Checks whether there is room for one more queue.
    pub(crate) fn check_queues(&self, there: usize) -> Result<(), Error> {
        room("queues", there, self.queues)
    }

    /// Checks whether there is room for one more URL group.
    pub(crate) fn check_url_groups(&self, there: usize) -> Result<(), Error> {
        room("URL groups", there, self.url_groups)
    }

    /// Returns the timeout of a receiver for a message's requested one.
    pub(crate) fn timeout(&self, requested_ms: Option<u64>) -> Duration {
        requested_ms.map_or(self.timeout, |requested_ms| {
            Duration::from_millis(requested_ms).min(self.timeout)
        })
    }
}

fn within(what: &'static str, given: u64, allowed: u64) -> Result<(), Error> {
    if given > allowed {
        return Err(Error::Number {
            what,
            given,
            allowed,
        });
    }
    Ok(())
}

fn room(what: &'static str, there: usize, allowed: usize) -> Result<(), Error> {
    if there >= allowed {
        return Err(Error::Count { what, allowed });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Now = Now {
        wall_ms: 1_000_000,
        broker_ms: 5_000_000,
    };

    fn checked(plan: Plan, start: Start) -> bool {
        let options = Options {
            start,
            ..Options::default()
        };
        plan.limits().check_message(&options, 0, NOW).is_ok()
    }

    #[test]
    fn plan_is_found_by_its_name() {
        for plan in [Plan::Free, Plan::PayAsYouGo, Plan::Fixed] {
            assert_eq!(plan.name().parse(), Ok(plan));
        }
        assert_eq!("pro".parse::<Plan>(), Err(UnknownPlan));
    }

    #[test]
    fn delay_is_bounded_by_the_plan() {
        let days = |days: u64| Start::After(days * millis(DAY));
        assert!(checked(Plan::Free, days(7)) && !checked(Plan::Free, days(8)));
        assert!(checked(Plan::PayAsYouGo, days(365)) && !checked(Plan::PayAsYouGo, days(366)));
        assert!(checked(Plan::Fixed, days(4_000)));
    }

    #[test]
    fn not_before_is_bounded_like_a_delay_and_may_be_past() {
        let at = |days: u64| Start::At(NOW.wall_ms + days * millis(DAY));
        assert!(checked(Plan::Free, at(7)) && !checked(Plan::Free, at(8)));
        assert!(checked(Plan::Free, Start::At(0)));
    }

    #[test]
    fn timeout_is_only_ever_shortened() {
        let limits = Plan::Free.limits();
        assert_eq!(limits.timeout(None), Duration::from_mins(15));
        assert_eq!(limits.timeout(Some(5_000)), Duration::from_secs(5));
        assert_eq!(limits.timeout(Some(86_400_000)), Duration::from_mins(15));
    }
}
