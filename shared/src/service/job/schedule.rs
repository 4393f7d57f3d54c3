//! The table of schedules, and their registration at QStash under fixed ids. QStash publishes a message for each run.

use jiff::Timestamp;

use super::Error;
use super::kind::JobType;
use super::plan::FAILURE_HANDLER;
use super::publisher::Publisher;
use crate::protocol::qstash::{self, Label, Message, ScheduleId};

/// A schedule.
#[derive(Debug)]
pub struct Schedule {
    /// The id under which it is registered.
    pub id: &'static str,
    /// The function that runs it.
    pub handler: &'static str,
    /// The cron expression, in UTC: minute, hour, day of the month, month, day of the week.
    pub cron: &'static str,
    /// The body of its messages.
    pub body: &'static str,
}

/// All schedules. Those of functions that are not built yet are not registered.
pub const SCHEDULES: &[Schedule] = &[
    Schedule {
        id: "outbox-sweep",
        handler: "relay-outbox",
        cron: "*/5 * * * *",
        body: r#"{"task":"sweep"}"#,
    },
    Schedule {
        id: "dead-letter-reconciliation",
        handler: "relay-outbox",
        cron: "20 * * * *",
        body: r#"{"task":"dead-letters"}"#,
    },
    Schedule {
        id: "reminder-check",
        handler: "check-reminders",
        cron: "0 */6 * * *",
        body: "{}",
    },
    Schedule {
        id: "cleanup-expired",
        handler: "cleanup-expired",
        cron: "0 2 * * *",
        body: "{}",
    },
    Schedule {
        id: "analytics-hourly",
        handler: "aggregate-analytics",
        cron: "5 * * * *",
        body: r#"{"period":"hour"}"#,
    },
    Schedule {
        id: "analytics-daily",
        handler: "aggregate-analytics",
        cron: "15 0 * * *",
        body: r#"{"period":"day"}"#,
    },
];

impl Schedule {
    /// Returns the schedule with this id.
    #[must_use]
    pub fn find(id: &str) -> Option<&'static Self> {
        SCHEDULES.iter().find(|schedule| schedule.id == id)
    }

    /// Returns the type of its jobs; none if its function is not built yet.
    #[must_use]
    pub fn job(&self) -> Option<JobType> {
        JobType::of_handler(self.handler)
    }
}

/// The state of a schedule at QStash.
#[derive(Clone, Debug)]
pub struct Registered {
    /// Whether it is paused.
    pub is_paused: bool,
    /// The last publication.
    pub last_run: Option<Timestamp>,
    /// The next publication.
    pub next_run: Option<Timestamp>,
    /// The messages of the last run, which are the ids of its jobs.
    pub last_messages: Vec<String>,
}

impl From<&qstash::Schedule> for Registered {
    fn from(schedule: &qstash::Schedule) -> Self {
        Self {
            is_paused: schedule.is_paused,
            last_run: schedule.last_run(),
            next_run: schedule.next_run(),
            last_messages: schedule.last_schedule_states.keys().cloned().collect(),
        }
    }
}

impl Publisher {
    /// Returns every schedule of the table with its state at QStash. One request.
    pub async fn schedules(&self) -> Result<Vec<(&'static Schedule, Option<Registered>)>, Error> {
        let existing = self.qstash.schedules().await?;
        let registered = |id| {
            existing
                .iter()
                .find(|it| it.schedule_id == id)
                .map(Into::into)
        };
        Ok(SCHEDULES
            .iter()
            .map(|schedule| (schedule, registered(schedule.id)))
            .collect())
    }

    /// Registers the schedules of the built functions, and removes those whose function no longer exists. A correct
    /// schedule is not touched, so a paused one stays paused. A changed one is replaced and paused again.
    pub async fn register_schedules(&self) -> Result<(), Error> {
        let existing = self.qstash.schedules().await?;
        for schedule in SCHEDULES {
            let known = existing.iter().find(|it| it.schedule_id == schedule.id);
            match (schedule.job(), known) {
                (Some(job), _) => self.register(schedule, job, known).await?,
                (None, Some(_)) => {
                    self.qstash.delete_schedule(schedule.id).await?;
                }
                (None, None) => {}
            }
        }
        Ok(())
    }

    async fn register(
        &self,
        schedule: &Schedule,
        job: JobType,
        known: Option<&qstash::Schedule>,
    ) -> Result<(), Error> {
        if known.is_some_and(|known| self.is_up_to_date(schedule, job, known)) {
            return Ok(());
        }
        let plan = job.plan();
        let message = Message::to(self.handler(schedule.handler))
            .body(schedule.body, "application/json")
            .retries(plan.retries)
            .retry_delay(&plan.retry_delay(schedule.id))
            .timeout(plan.timeout)
            .failure_callback(&self.handler(FAILURE_HANDLER))
            .label(&Label::derive(schedule.id))
            .build()?;
        self.qstash
            .put_schedule(&ScheduleId::derive(schedule.id), schedule.cron, &message)
            .await?;
        // Replacing a paused schedule resumes it.
        if known.is_some_and(|known| known.is_paused) {
            self.qstash.pause_schedule(schedule.id).await?;
        }
        Ok(())
    }

    fn is_up_to_date(&self, schedule: &Schedule, job: JobType, known: &qstash::Schedule) -> bool {
        let plan = job.plan();
        known.cron == schedule.cron
            && known.destination == self.handler(schedule.handler).as_str()
            && known.body.as_deref() == Some(schedule.body)
            && known.retries == Some(plan.retries)
            && known.retry_delay_expression == Some(plan.retry_delay(schedule.id))
            && known.failure_callback.as_deref() == Some(self.handler(FAILURE_HANDLER).as_str())
    }

    /// Pauses a registered schedule, or resumes it. Missed runs are skipped.
    pub async fn pause_schedule(&self, schedule: &Schedule, paused: bool) -> Result<(), Error> {
        if paused {
            self.qstash.pause_schedule(schedule.id).await?;
        } else {
            self.qstash.resume_schedule(schedule.id).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::SCHEDULES;
    use crate::protocol::qstash::{Label, ScheduleId};

    #[test]
    fn every_schedule_has_its_own_id_and_an_object_as_body() {
        let ids: BTreeSet<&str> = SCHEDULES.iter().map(|schedule| schedule.id).collect();
        assert_eq!(ids.len(), SCHEDULES.len());
        for schedule in SCHEDULES {
            let body: serde_json::Value = serde_json::from_str(schedule.body).unwrap();
            assert!(body.is_object(), "{}", schedule.id);
            assert!(ScheduleId::parse(schedule.id).is_ok() && Label::parse(schedule.id).is_ok());
        }
    }
}
