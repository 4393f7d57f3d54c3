//! What a message asks for.

use std::time::Duration;

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
use crate::invalidations::Invalidator;
use crate::outbox::Sweep;
use crate::unclaimed::republish;

/// What is kept back of the time, so that a batch that is under way can be settled, and the other parts have their turn.
const MARGIN: Duration = Duration::from_secs(5);

/// How soon the next message goes on.
const PAUSE: Duration = Duration::from_secs(1);

/// What a message asks for. The web app's ping is an empty object: it asks for the outbox.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Errand {
    #[serde(default)]
    errand: Which,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Which {
    #[default]
    Outbox,
    DeadLetters,
}

impl Errand {
    /// What there is to ask for.
    pub(crate) const NAMES: [&str; 2] = ["outbox", "dead-letters"];
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
            Which::Outbox => self.sweep(until).await,
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

    /// The outbox first: what stands there has no other way. Then what outages left behind: the jobs whose messages may
    /// be lost, the copy of the block list, events that Postgres was not told. No part waits for another to succeed.
    async fn sweep(&self, until: Instant) -> Result<Value, Stop> {
        let mut sweep = Sweep::new(&self.outbox, until);
        let mut failures = Failures::default();
        // One line for each kind of row. What must no longer be answered comes first: it is short, and somebody may look.
        failures.note("invalidations", sweep.drain(&self.invalidator).await);
        failures.note("jobs", sweep.drain(&self.courier).await);
        failures.note("purge", sweep.purge().await);
        let republished = republish(&self.outbox, &self.courier).await;
        let republished = failures.note("unclaimed jobs", republished);
        let upkept = self.security.run().await.map_err(Stop::retry);
        let upkept = failures.note("security", upkept);
        let swept = sweep.result();
        failures.settle()?;
        if swept.unfinished {
            let reason = format!("{} rows done, more are waiting", swept.done);
            return Err(Stop::go_on(PAUSE, reason));
        }
        let upkept = upkept.unwrap_or_default();
        Ok(json!({
            "done": swept.done,
            "resting": swept.resting,
            "setAside": swept.set_aside,
            "purged": swept.purged,
            "republished": republished,
            "blocked": upkept.blocked,
            "told": upkept.told,
        }))
    }
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
                tracing::error!(part, reason = %stop, "part of the sweep failed; the others go on");
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
    use super::{Errand, Which};

    #[test]
    fn a_ping_asks_for_the_outbox_and_each_name_is_understood() {
        let ping: Errand = serde_json::from_str("{}").unwrap();
        assert!(matches!(ping.errand, Which::Outbox));
        for name in Errand::NAMES {
            let body = format!(r#"{{"errand":"{name}"}}"#);
            assert!(serde_json::from_str::<Errand>(&body).is_ok(), "{name}");
        }
        assert!(serde_json::from_str::<Errand>(r#"{"errand":"lunch"}"#).is_err());
    }
}
