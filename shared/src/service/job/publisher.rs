//! Publishing the messages of jobs whose records exist.

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::Error;
use super::kind::{FAILURE_HANDLER, JobType, Priority};
use super::tracking::Tracking;
use crate::base::env;
use crate::protocol::qstash::{self, FlowControl, Message};

/// How many messages one batch carries. QStash takes 100 MB; a job of 100 recipients has some 10 KB.
const BATCH: usize = 1000;

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
    /// Which publication this is, from 1.
    pub generation: u32,
    /// How urgent it is.
    pub priority: Priority,
    /// Whose flow control holds it back.
    pub tenant: &'a str,
    /// The instant before which it must not be delivered.
    pub not_before: Option<Timestamp>,
    /// The payload, a JSON object.
    pub payload: &'a str,
}

/// What of a tenant's name stands in a flow-control key as it is.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@')
}

impl Publisher {
    /// Publishes through `QSTASH_URL` with `QSTASH_TOKEN`, to functions at `FUNCTIONS_URL`.
    pub fn from_env() -> Result<Self, env::Error> {
        Ok(Self::new(
            qstash::Client::from_env()?,
            env::parsed("FUNCTIONS_URL")?,
        ))
    }

    /// Publishes through `qstash`, to functions at `functions_url`.
    #[must_use]
    pub fn new(qstash: qstash::Client, functions_url: Url) -> Self {
        Self {
            qstash,
            functions_url,
        }
    }

    /// Publishes jobs, each once: what was published before is recognised by its deduplication id.
    pub async fn publish(&self, jobs: &[Outgoing<'_>]) -> Result<(), Error> {
        if let [job] = jobs {
            self.qstash.publish(&self.message(job)?).await?;
            return Ok(());
        }
        for outcome in self.publish_each(jobs).await? {
            outcome.map_err(Error::Refused)?;
        }
        Ok(())
    }

    /// Publishes jobs, each once, and says of each whether the queue took it; one that it refuses does not hold the
    /// others back.
    pub async fn publish_each(
        &self,
        jobs: &[Outgoing<'_>],
    ) -> Result<Vec<Result<(), qstash::Refusal>>, Error> {
        let mut outcomes = Vec::with_capacity(jobs.len());
        for part in jobs.chunks(BATCH) {
            let messages: Vec<Message> = part
                .iter()
                .map(|job| self.message(job))
                .collect::<Result<_, _>>()?;
            let answers = self.qstash.batch(&messages).await?;
            outcomes.extend(answers.into_iter().map(|answer| answer.map(drop)));
        }
        Ok(outcomes)
    }

    fn message(&self, job: &Outgoing<'_>) -> Result<Message, Error> {
        let plan = job.job.plan();
        let flow = plan.flow(job.priority);
        let tracking = Tracking {
            job_id: Some(job.job_id.to_owned()),
            generation: Some(job.generation),
        };
        let tenant = job.tenant.replace(|c| !is_plain(c), "_");
        let key = format!("{}:{}:{tenant}", job.job, job.priority.name());
        let mut message = Message::to(self.handler(plan.handler))
            .body(tracking.envelop(job.payload)?, "application/json")
            .retries(plan.retries)
            .retry_delay(&plan.retry_delay())
            .timeout(plan.timeout)
            .failure_callback(&self.handler(FAILURE_HANDLER))
            .deduplication_id(&format!("{}-{}", job.job_id, job.generation))
            .label(job.job_id)
            .flow_control(
                &FlowControl::new(&key)
                    .parallelism(flow.parallelism)
                    .rate(flow.per_second, Duration::from_secs(1)),
            );
        if let Some(instant) = job.not_before {
            message = message.not_before(instant);
        }
        Ok(message.build()?)
    }

    /// Where a function is delivered to.
    pub(super) fn handler(&self, function: &str) -> Url {
        let mut url = self.functions_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "jobs", function]);
        }
        url
    }
}
