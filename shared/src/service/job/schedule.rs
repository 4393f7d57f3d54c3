//! What runs by the clock: QStash publishes a message whenever a schedule says so. The one table of schedules, and
//! their registration under fixed ids.

use jiff::Timestamp;

use super::Error;
use super::kind::JobType;
use super::plan::FAILURE_HANDLER;
use super::publisher::Publisher;
use crate::protocol::qstash::{self, Label, Message, ScheduleId};

/// Something that runs by the clock.
#[derive(Debug)]
pub struct Schedule {
    /// The id under which it is registered.
    pub id: &'static str,
    /// The function that runs it.
    pub handler: &'static str,
    /// When, in UTC: minute, hour, day of the month, month, day of the week.
    pub cron: &'static str,
    /// What its messages carry.
    pub body: &'static str,
}

/// Every schedule. Those whose function is not built yet are not registered.
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
    /// The schedule with this id.
    #[must_use]
    pub fn find(id: &str) -> Option<&'static Self> {
        SCHEDULES.iter().find(|schedule| schedule.id == id)
    }

    /// The type of job that it makes; none while its function is not built.
    #[must_use]
    pub fn job(&self) -> Option<JobType> {
        JobType::of_handler(self.handler)
    }
}

/// A schedule as the queue has it.
#[derive(Clone, Debug)]
pub struct Registered {
    /// Whether it is paused.
    pub is_paused: bool,
    /// When it last published.
    pub last_run: Option<Timestamp>,
    /// When it publishes next.
    pub next_run: Option<Timestamp>,
    /// The messages of the last run: the ids of its jobs.
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
    /// Every schedule of the table, and what the queue has of it. One request.
    pub async fn schedules(&self) -> Result<Vec<(&'static Schedule, Option<Registered>)>, Error> {
        let there = self.qstash.schedules().await?;
        let registered = |id| there.iter().find(|it| it.schedule_id == id).map(Into::into);
        Ok(SCHEDULES
            .iter()
            .map(|schedule| (schedule, registered(schedule.id)))
            .collect())
    }

    /// Registers the schedules whose functions are built, and removes those whose function is gone. What is registered
    /// as it should be is not touched, so one that is paused stays paused; one that has changed is put in its place and
    /// paused again.
    pub async fn register_schedules(&self) -> Result<(), Error> {
        let there = self.qstash.schedules().await?;
        for schedule in SCHEDULES {
            let known = there.iter().find(|it| it.schedule_id == schedule.id);
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
        if known.is_some_and(|known| self.is_as_it_should_be(schedule, job, known)) {
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
        // Putting a schedule in the place of a paused one lets it go on.
        if known.is_some_and(|known| known.is_paused) {
            self.qstash.pause_schedule(schedule.id).await?;
        }
        Ok(())
    }

    fn is_as_it_should_be(
        &self,
        schedule: &Schedule,
        job: JobType,
        known: &qstash::Schedule,
    ) -> bool {
        let plan = job.plan();
        known.cron == schedule.cron
            && known.destination == self.handler(schedule.handler).as_str()
            && known.body.as_deref() == Some(schedule.body)
            && known.retries == Some(plan.retries)
            && known.retry_delay_expression == Some(plan.retry_delay(schedule.id))
            && known.failure_callback.as_deref() == Some(self.handler(FAILURE_HANDLER).as_str())
    }

    /// Pauses a registered schedule, or lets it go on. What it would have published meanwhile is not made up.
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
