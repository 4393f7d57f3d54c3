//! The timing and priority members of every enqueue request.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use shared::base::integer;
use shared::edge::input::invalid;
use shared::edge::instant::Instant;
use shared::edge::{Problem, Result};
use shared::service::job::Priority;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The longest delay. QStash accepts 7 days on its smallest plan; a longer wait needs a schedule.
const MAX_DELAY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The tolerance for QStash's clock, which counts whole seconds: a delay accepted here must not exceed the maximum
/// there.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(5);

/// The members that every enqueue request accepts besides its payload.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Timing {
    /// Seconds to wait, at most 604800. A delay within five seconds of the maximum may end up to five seconds early.
    #[serde(default, deserialize_with = "integer::optional")]
    #[schema(maximum = 604_800)]
    pub delay_seconds: Option<u32>,
    /// The earliest instant to run the job, at most seven days ahead. Excludes `delaySeconds`.
    #[serde(default)]
    #[schema(value_type = Option<Instant>)]
    pub not_before: Option<Timestamp>,
    /// The priority of the job: default `normal`, or `low` for a bulk.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Priority)]
    pub priority: Option<Priority>,
}

/// Parses a priority: null is none.
fn named<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Priority>, D::Error> {
    Priority::deserialize(deserializer).map(Some)
}

/// Documents that a delay and an instant exclude each other, which the schemas of the members cannot express.
#[derive(Debug, Serialize)]
pub struct ExclusiveDelay {}

impl PartialSchema for ExclusiveDelay {
    fn schema() -> RefOr<Schema> {
        let without = |member| {
            ObjectBuilder::new()
                .schema_type(Type::Object)
                .property(member, ObjectBuilder::new().schema_type(Type::Null))
        };
        AnyOfBuilder::new()
            .item(without("delaySeconds"))
            .item(without("notBefore"))
            .description(Some("`delaySeconds` and `notBefore` exclude each other."))
            .into()
    }
}

impl ToSchema for ExclusiveDelay {
    fn name() -> std::borrow::Cow<'static, str> {
        "OneWait".into()
    }
}

impl Timing {
    /// Returns the instant before which the job must not run; none to run at once.
    pub fn not_before(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let (at, field) = match (self.delay_seconds, self.not_before) {
            (Some(_), Some(_)) => {
                return Err(invalid(
                    "/notBefore",
                    "must not be combined with delaySeconds",
                ));
            }
            (Some(0) | None, None) => return Ok(None),
            (Some(delay), None) => (
                now + SignedDuration::from_secs(delay.into()),
                "/delaySeconds",
            ),
            (None, Some(at)) => (at, "/notBefore"),
        };
        if at > now + MAX_DELAY {
            return Err(too_far(field));
        }
        let longest = now + (MAX_DELAY - CLOCK_SKEW);
        Ok(Some(at.min(longest)).filter(|at| *at > now))
    }
}

fn too_far(field: &str) -> Problem {
    invalid(field, "must not be more than seven days ahead")
}

#[cfg(test)]
mod tests {
    use super::{Problem, SignedDuration, Timestamp, Timing};

    /// Returns the seconds after which the job runs: 0 to run at once.
    fn wait(delay_seconds: Option<u32>, not_before: Option<i64>) -> Result<i64, Problem> {
        let now = Timestamp::UNIX_EPOCH;
        let timing = Timing {
            delay_seconds,
            not_before: not_before.map(|seconds| now + SignedDuration::from_secs(seconds)),
            priority: None,
        };
        let at = timing.not_before(now)?;
        Ok(at.map_or(0, Timestamp::as_second))
    }

    #[test]
    fn delay_and_instant_of_the_same_moment_are_equal() {
        assert_eq!(wait(Some(60), None).unwrap(), 60);
        assert_eq!(wait(None, Some(60)).unwrap(), 60);
    }

    #[test]
    fn past_time_runs_at_once() {
        assert_eq!(wait(None, Some(-60)).unwrap(), 0);
        assert_eq!(wait(Some(0), None).unwrap(), 0);
    }

    #[test]
    fn longest_delay_is_within_seven_days_for_a_queue_whose_clock_is_behind() {
        let week = 7 * 24 * 60 * 60;
        for longest in [wait(Some(604_800), None), wait(None, Some(604_800))] {
            let longest = longest.unwrap();
            assert!((week - 5..week - 1).contains(&longest), "{longest}");
        }
        assert_eq!(wait(Some(604_000), None).unwrap(), 604_000);
    }

    #[test]
    fn delay_longer_than_the_queue_keeps_a_message_is_refused() {
        for refused in [
            wait(Some(604_801), None),
            wait(None, Some(604_801)),
            wait(Some(1), Some(1)),
        ] {
            assert_eq!(refused.unwrap_err().status, 422);
        }
    }
}
