//! What a message asks for.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::base::clock::Clock;
use shared::protocol::qstash;
use shared::service::job::Stop;
use shared::service::outbox::Outbox;
use shared::service::outbox::jobs::Courier;
use shared::service::security::Upkeep;
use tokio::time::Instant;

use crate::dead_letters::Undertaker;
use crate::follow_up;
use crate::invalidations::Invalidator;
use crate::outbox::{Sweep, Swept};
use crate::unclaimed::republish;

/// What is kept back of the time, so that a batch that is under way can be settled, and the other parts have their turn.
const MARGIN: Duration = Duration::from_secs(5);

/// What a message asks for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Errand {
    #[serde(default)]
    errand: Which,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Which {
    /// Everything: what a message without words asks for.
    #[default]
    Outbox,
    /// The same, by schedule: lost jobs only once in a quarter of an hour.
    Sweep,
    /// The rows, now and once more a little later: the web app's ping.
    Ping,
    /// The rows, once.
    Rows,
    /// Dead letters.
    DeadLetters,
}

impl Errand {
    /// What there is to ask for.
    pub(crate) const NAMES: [&str; 5] = ["outbox", "sweep", "ping", "rows", "dead-letters"];
}

/// What the errands need.
pub(crate) struct Errands {
    pub(crate) outbox: Outbox,
    pub(crate) invalidator: Invalidator,
    pub(crate) courier: Courier,
    pub(crate) security: Upkeep,
    pub(crate) qstash: qstash::Client,
    pub(crate) clock: Clock,
}

impl Errands {
    pub(crate) async fn perform(&self, errand: Errand, deadline: Instant) -> Result<Value, Stop> {
        let until = deadline - MARGIN;
        match errand.errand {
            Which::Outbox => self.sweep(until, true).await,
            Which::Sweep => self.sweep(until, begins_a_quarter(self.clock.now())).await,
            Which::Ping => {
                follow_up::publish(&self.courier.publisher, self.clock.now()).await;
                Ok(self.rows(until).await?.told())
            }
            Which::Rows => Ok(self.rows(until).await?.told()),
            Which::DeadLetters => {
                let undertaker = Undertaker {
                    jobs: &self.courier.jobs,
                    qstash: &self.qstash,
                };
                let buried = undertaker.reconcile(self.clock.now(), until).await?;
                Ok(json!(buried))
            }
        }
    }

    /// Relays the rows of the outbox. What the time does not suffice for goes on in the next message.
    async fn rows(&self, until: Instant) -> Result<Swept, Stop> {
        let mut failures = Failures::default();
        let swept = self.relay(until, &mut failures).await;
        failures.settle()?;
        swept.finished()
    }

    /// One line for each kind of row. What must no longer be answered comes first: it is short, and somebody may look.
    async fn relay(&self, until: Instant, failures: &mut Failures) -> Swept {
        let mut sweep = Sweep::new(&self.outbox, until);
        failures.note("invalidations", sweep.drain(&self.invalidator).await);
        failures.note("jobs", sweep.drain(&self.courier).await);
        failures.note("purge", sweep.purge().await);
        sweep.result()
    }

    /// The outbox first: what stands there has no other way. Then what outages left behind: the copy of the block list,
    /// events that Postgres was not told, and the jobs whose messages may be lost. No part waits for another to succeed.
    async fn sweep(&self, until: Instant, finds_lost_jobs: bool) -> Result<Value, Stop> {
        let mut failures = Failures::default();
        let swept = self.relay(until, &mut failures).await;
        let mut republished = Some(0);
        if finds_lost_jobs {
            let lost = republish(&self.outbox, &self.courier, self.clock.now()).await;
            republished = failures.note("unclaimed jobs", lost);
        }
        let upkept = self.security.run().await.map_err(Stop::retry);
        let upkept = failures.note("security", upkept);
        failures.settle()?;
        swept.finished()?;
        let upkept = upkept.unwrap_or_default();
        let mut told = swept.told();
        told["republished"] = json!(republished);
        told["blocked"] = json!(upkept.blocked);
        told["told"] = json!(upkept.told);
        Ok(told)
    }
}

/// Whether a sweep that runs every five minutes is the first of a quarter of an hour. A job counts as lost when it has
/// been due for that long, so looking more often costs commands and finds little.
fn begins_a_quarter(now: Timestamp) -> bool {
    now.as_second().rem_euclid(15 * 60) < 5 * 60
}

/// What failed of a sweep.
#[derive(Default)]
struct Failures(Option<Stop>);

impl Failures {
    /// The result of a part; its failure is kept until all parts had their turn.
    fn note<T>(&mut self, part: &str, result: Result<T, Stop>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(stop) => {
                tracing::error!(
                    part,
                    reason = %stop,
                    "part of the sweep failed; the other parts continue"
                );
                self.0.get_or_insert(stop);
                None
            }
        }
    }

    fn settle(self) -> Result<(), Stop> {
        self.0.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Errand, Which, begins_a_quarter};

    #[test]
    fn every_third_sweep_finds_lost_jobs() {
        let sweeps = (0..48).map(|five| Timestamp::from_second(five * 300 + 20).unwrap());
        assert_eq!(sweeps.filter(|at| begins_a_quarter(*at)).count(), 16);
    }

    #[test]
    fn message_without_words_asks_for_everything_and_each_name_is_understood() {
        let ping: Errand = serde_json::from_str("{}").unwrap();
        assert!(matches!(ping.errand, Which::Outbox));
        for name in Errand::NAMES {
            let body = format!(r#"{{"errand":"{name}"}}"#);
            assert!(serde_json::from_str::<Errand>(&body).is_ok(), "{name}");
        }
        assert!(serde_json::from_str::<Errand>(r#"{"errand":"lunch"}"#).is_err());
    }
}
