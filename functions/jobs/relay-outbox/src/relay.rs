//! The tasks of a message, and the relay that runs them.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::base::clock::Clock;
use shared::protocol::qstash;
use shared::service::job::Stop;
use shared::service::outbox::Outbox;
use shared::service::outbox::job_relay::JobRelay;
use shared::service::security::Reconciler;
use tokio::time::Instant;

use crate::dead_letters::DeadLetterReconciler;
use crate::follow_up;
use crate::invalidations::Invalidator;
use crate::outbox::{Sweep, Swept};
use crate::unclaimed::republish;

/// Time reserved for settling the running batch and for the other parts.
const MARGIN: Duration = Duration::from_secs(5);

/// The task that a message requests.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Task {
    #[serde(default, alias = "errand")]
    task: TaskKind,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TaskKind {
    /// All parts: the default of a message without a task.
    #[default]
    Outbox,
    /// All parts, by schedule; lost jobs only once in a quarter of an hour.
    Sweep,
    /// The rows, now and again a little later: the web app's ping.
    Ping,
    /// The rows, once.
    Rows,
    /// Dead letters.
    DeadLetters,
}

impl Task {
    /// The names of the tasks.
    pub(crate) const NAMES: [&str; 5] = ["outbox", "sweep", "ping", "rows", "dead-letters"];
}

/// The state of the tasks.
pub(crate) struct Relay {
    pub(crate) outbox: Outbox,
    pub(crate) invalidator: Invalidator,
    pub(crate) jobs: JobRelay,
    pub(crate) security: Reconciler,
    pub(crate) qstash: qstash::Client,
    pub(crate) clock: Clock,
}

impl Relay {
    pub(crate) async fn perform(&self, task: Task, deadline: Instant) -> Result<Value, Stop> {
        let until = deadline - MARGIN;
        match task.task {
            TaskKind::Outbox => self.sweep(until, true).await,
            TaskKind::Sweep => {
                self.sweep(until, is_first_of_quarter_hour(self.clock.now()))
                    .await
            }
            TaskKind::Ping => {
                follow_up::publish(&self.jobs.publisher, self.clock.now()).await;
                Ok(self.rows(until).await?.summary())
            }
            TaskKind::Rows => Ok(self.rows(until).await?.summary()),
            TaskKind::DeadLetters => {
                let reconciler = DeadLetterReconciler {
                    jobs: &self.jobs.jobs,
                    qstash: &self.qstash,
                };
                let result = reconciler.reconcile(self.clock.now(), until).await?;
                Ok(json!(result))
            }
        }
    }

    /// Relays the rows of the outbox. Rows left when time runs out follow in the next message.
    async fn rows(&self, until: Instant) -> Result<Swept, Stop> {
        let mut failures = Failures::default();
        let swept = self.relay(until, &mut failures).await;
        failures.settle()?;
        swept.finished()
    }

    /// Relays each kind of row. Invalidations come first: they are short, and stale data may be read.
    async fn relay(&self, until: Instant, failures: &mut Failures) -> Swept {
        let mut sweep = Sweep::new(&self.outbox, until);
        failures.note("invalidations", sweep.drain(&self.invalidator).await);
        failures.note("jobs", sweep.drain(&self.jobs).await);
        failures.note("purge", sweep.purge().await);
        sweep.result()
    }

    /// Runs the outbox first, because its rows have no other path. Then repairs the effects of outages: the copy of the
    /// block list, events that are missing in Postgres, and jobs whose messages may be lost. No part depends on the
    /// success of another.
    async fn sweep(&self, until: Instant, finds_lost_jobs: bool) -> Result<Value, Stop> {
        let mut failures = Failures::default();
        let swept = self.relay(until, &mut failures).await;
        let mut republished = Some(0);
        if finds_lost_jobs {
            let lost = republish(&self.outbox, &self.jobs, self.clock.now()).await;
            republished = failures.note("unclaimed jobs", lost);
        }
        let recovered = self.security.run().await.map_err(Stop::retry);
        let recovered = failures.note("security", recovered);
        failures.settle()?;
        swept.finished()?;
        let recovered = recovered.unwrap_or_default();
        let mut summary = swept.summary();
        summary["republished"] = json!(republished);
        summary["blocked"] = json!(recovered.blocked);
        summary["told"] = json!(recovered.recorded);
        Ok(summary)
    }
}

/// Returns whether a sweep is the first of a quarter of an hour; the sweep runs every five minutes. A job counts as
/// lost after being due for that long, so more frequent checks cost commands and find little.
fn is_first_of_quarter_hour(now: Timestamp) -> bool {
    now.as_second().rem_euclid(15 * 60) < 5 * 60
}

/// The failures of a sweep.
#[derive(Default)]
struct Failures(Option<Stop>);

impl Failures {
    /// Returns the result of a part; keeps its failure until all parts have run.
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

    use super::{Task, TaskKind, is_first_of_quarter_hour};

    #[test]
    fn every_third_sweep_finds_lost_jobs() {
        let sweeps = (0..48).map(|five| Timestamp::from_second(five * 300 + 20).unwrap());
        assert_eq!(
            sweeps.filter(|at| is_first_of_quarter_hour(*at)).count(),
            16
        );
    }

    #[test]
    fn empty_message_runs_every_task_and_each_task_name_is_accepted() {
        let ping: Task = serde_json::from_str("{}").unwrap();
        assert!(matches!(ping.task, TaskKind::Outbox));
        for name in Task::NAMES {
            let body = format!(r#"{{"task":"{name}"}}"#);
            assert!(serde_json::from_str::<Task>(&body).is_ok(), "{name}");
            let former = format!(r#"{{"errand":"{name}"}}"#);
            assert!(serde_json::from_str::<Task>(&former).is_ok(), "{name}");
        }
        assert!(serde_json::from_str::<Task>(r#"{"task":"lunch"}"#).is_err());
    }
}
