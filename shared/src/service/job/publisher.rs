//! Publishing the messages of jobs whose records exist.

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::Error;
use super::handover::{Delivery, Handover};
use super::kind::{JobType, Priority};
use super::plan::FAILURE_HANDLER;
use super::size;
use super::tracking::Tracking;
use crate::base::env;
use crate::protocol::qstash::{
    self, Builder, DeduplicationId, FlowControl, Label, Message, Refusal,
};

/// Turns jobs into messages to their functions.
#[derive(Clone, Debug)]
pub struct Publisher {
    pub(super) qstash: qstash::Client,
    functions_url: Url,
}

/// A job about to be published.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The job.
    pub job_id: &'a str,
    /// Its type.
    pub job: JobType,
    /// The generation, from 1.
    pub generation: u32,
    /// Its priority.
    pub priority: Priority,
    /// The tenant whose flow control applies.
    pub tenant: &'a str,
    /// The instant before which it must not be delivered.
    pub not_before: Option<Timestamp>,
    /// The payload, a JSON object.
    pub payload: &'a str,
}

/// A run of a function without an existing record. The function creates the record at its delivery, under the message's
/// id.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// The type of job.
    pub job: JobType,
    /// The body of the message, a JSON object.
    pub body: &'a str,
    /// Runs with the same id are published once.
    pub deduplication_id: DeduplicationId,
    /// The instant before which it must not be delivered.
    pub not_before: Timestamp,
}

impl Publisher {
    /// Returns a publisher for `QSTASH_URL` with `QSTASH_TOKEN`, and functions at `FUNCTIONS_URL`.
    pub fn from_env() -> Result<Self, env::Error> {
        Ok(Self::new(
            qstash::Client::from_env()?,
            env::parsed("FUNCTIONS_URL")?,
        ))
    }

    /// Returns a publisher for `qstash`, and functions at `functions_url`.
    #[must_use]
    pub fn new(qstash: qstash::Client, functions_url: Url) -> Self {
        Self {
            qstash,
            functions_url,
        }
    }

    /// Publishes jobs, each once: a repeated message is recognized by its deduplication id. Errors if one of them was
    /// not accepted.
    pub async fn publish(&self, jobs: &[Outgoing<'_>]) -> Result<(), Error> {
        if let [job] = jobs {
            self.qstash.publish(&self.message(job)?).await?;
            return Ok(());
        }
        let Handover { deliveries, outage } = self.hand_over(jobs).await;
        if let Some(outage) = outage {
            return Err(outage);
        }
        for delivery in deliveries {
            if let Delivery::Refused(reason) = delivery {
                return Err(Error::Refused(Refusal(reason)));
            }
        }
        Ok(())
    }

    /// Publishes a run.
    pub async fn publish_run(&self, run: &Run<'_>) -> Result<(), Error> {
        let id = run.deduplication_id.as_str();
        let message = self
            .to(run.job, Priority::Normal, "-", id)
            .body(run.body.to_owned(), "application/json")
            .deduplication_id(&run.deduplication_id)
            .label(&Label::derive(run.job.plan().handler))
            .not_before(run.not_before)
            .build()?;
        self.qstash.publish(&message).await?;
        Ok(())
    }

    pub(super) fn message(&self, job: &Outgoing<'_>) -> Result<Message, Error> {
        size::must_fit(job.payload)?;
        let tracking = Tracking {
            job_id: Some(job.job_id.to_owned()),
            generation: Some(job.generation),
        };
        let id = format!("{}-{}", job.job_id, job.generation);
        let mut message = self
            .to(job.job, job.priority, job.tenant, job.job_id)
            .body(tracking.envelop(job.payload)?, "application/json")
            .deduplication_id(&DeduplicationId::derive(&id))
            .label(&Label::derive(job.job_id));
        if let Some(instant) = job.not_before {
            message = message.not_before(instant);
        }
        Ok(message.build()?)
    }

    /// Starts a message to the function of a type, with the options of its plan.
    fn to(&self, job: JobType, priority: Priority, tenant: &str, job_id: &str) -> Builder {
        let plan = job.plan();
        let flow = plan.flow(priority, tenant);
        let mut limits = FlowControl::new(flow.key).parallelism(flow.parallelism);
        if let Some(per_second) = flow.per_second {
            limits = limits.rate(per_second, Duration::from_secs(1));
        }
        Message::to(self.handler(plan.handler))
            .retries(plan.retries)
            .retry_delay(&plan.retry_delay(job_id))
            .timeout(plan.timeout)
            .failure_callback(&self.handler(FAILURE_HANDLER))
            .flow_control(&limits)
    }

    /// Returns the URL of a function.
    pub(super) fn handler(&self, function: &str) -> Url {
        let mut url = self.functions_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "jobs", function]);
        }
        url
    }
}
