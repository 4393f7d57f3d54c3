//! Publishing the messages of jobs whose records exist.

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::Error;
use super::kind::{FAILURE_HANDLER, JobType, Priority};
use super::size;
use super::tracking::Tracking;
use crate::base::env;
use crate::protocol::qstash::{
    self, Builder, DeduplicationId, FlowControl, Label, Message, Refusal,
};

/// How many messages one batch carries. A job of 100 recipients has some 10 KB.
const BATCH: usize = 1000;

/// How many bytes of bodies one batch carries. QStash takes 100 MB, and inside the batch every body is escaped.
const BATCH_BYTES: usize = 32_000_000;

/// How many requests of a batch may be refused before the fault is taken for that of all its messages.
const MAX_REFUSED: usize = 200;

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

/// A run of a function without a record made beforehand. The function makes it when it is delivered, under the id of the
/// message.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// The type of job.
    pub job: JobType,
    /// What the message carries, a JSON object.
    pub body: &'a str,
    /// Runs with one id become one.
    pub deduplication_id: DeduplicationId,
    /// The instant before which it must not be delivered.
    pub not_before: Timestamp,
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
    /// others back. Errors if the queue takes none for now.
    pub async fn publish_each(
        &self,
        jobs: &[Outgoing<'_>],
    ) -> Result<Vec<Result<(), Refusal>>, Error> {
        let messages = jobs.iter().map(|job| self.message(job));
        let mut outcomes: Vec<Result<(), Refusal>> = Vec::with_capacity(jobs.len());
        let mut sound = Vec::with_capacity(jobs.len());
        for message in messages {
            match message {
                Ok(message) => {
                    sound.push(message);
                    outcomes.push(Ok(()));
                }
                Err(error) => outcomes.push(Err(Refusal(error.to_string()))),
            }
        }
        let mut sent = Vec::with_capacity(sound.len());
        for part in batches(&sound) {
            sent.extend(self.send(part).await?);
        }
        let written = outcomes.iter_mut().filter(|outcome| outcome.is_ok());
        for (outcome, sent) in written.zip(sent) {
            *outcome = sent;
        }
        Ok(outcomes)
    }

    /// Sends one batch. QStash refuses a batch as a whole for one malformed message, so what is refused is halved until
    /// the message stands alone.
    async fn send(&self, messages: &[Message]) -> Result<Vec<Result<(), Refusal>>, Error> {
        let mut outcomes = Vec::with_capacity(messages.len());
        let (mut parts, mut refused) = (vec![messages], 0);
        while let Some(part) = parts.pop() {
            match self.qstash.batch(part).await {
                Ok(answers) => outcomes.extend(answers.into_iter().map(|answer| answer.map(drop))),
                Err(error) if error.is_rejection() => {
                    refused += 1;
                    if part.len() == 1 || refused > MAX_REFUSED {
                        let refusal = Refusal(error.to_string());
                        outcomes.extend(part.iter().map(|_| Err(refusal.clone())));
                    } else {
                        let (first, second) = part.split_at(part.len() / 2);
                        parts.extend([second, first]);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(outcomes)
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

    fn message(&self, job: &Outgoing<'_>) -> Result<Message, Error> {
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

    /// A message to the function of a type, as its plan says.
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

    /// Where a function is delivered to.
    pub(super) fn handler(&self, function: &str) -> Url {
        let mut url = self.functions_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "jobs", function]);
        }
        url
    }
}

/// Messages as batches of a bounded number and size, in their order.
fn batches(messages: &[Message]) -> Vec<&[Message]> {
    let mut batches = Vec::new();
    let (mut begin, mut bytes) = (0, 0);
    for (place, message) in messages.iter().enumerate() {
        let size = message.body().len();
        if place > begin && (place - begin >= BATCH || bytes + size > BATCH_BYTES) {
            batches.push(&messages[begin..place]);
            (begin, bytes) = (place, 0);
        }
        bytes += size;
    }
    if begin < messages.len() {
        batches.push(&messages[begin..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{JobType, Outgoing, Priority, Publisher, Refusal};
    use crate::base::secret::Secret;
    use crate::protocol::canned::{Answer, Server};
    use crate::protocol::qstash::Client;

    fn publisher(server: &Server) -> Publisher {
        let token = Secret::new("token".into());
        let qstash = Client::new(&server.url(), &token, Duration::from_secs(20)).unwrap();
        Publisher::new(qstash, "http://localhost:3000".parse().unwrap())
    }

    fn job<'a>(job_id: &'a str, payload: &'a str) -> Outgoing<'a> {
        Outgoing {
            job_id,
            job: JobType::Email,
            generation: 1,
            priority: Priority::Normal,
            tenant: "ann@example.com",
            not_before: None,
            payload,
        }
    }

    fn rejected() -> Answer {
        Answer::json(400, r#"{"error":"malformed"}"#)
    }

    #[tokio::test]
    async fn message_that_spoils_a_batch_is_found_and_the_others_are_published() {
        let server = Server::answering([
            rejected(),
            Answer::json(200, r#"[{"messageId":"a"},{"messageId":"b"}]"#),
            rejected(),
            rejected(),
            Answer::json(200, r#"[{"messageId":"d"}]"#),
        ]);
        let jobs = ["a", "b", "c", "d"].map(|id| job(id, "{}"));
        let outcomes = publisher(&server).publish_each(&jobs).await.unwrap();
        let refused: Vec<bool> = outcomes.iter().map(Result::is_err).collect();
        assert_eq!(refused, [false, false, true, false]);
        let Err(Refusal(reason)) = &outcomes[2] else {
            panic!("published");
        };
        assert!(reason.contains("malformed"), "{reason}");
    }

    #[tokio::test]
    async fn job_that_cannot_be_a_message_does_not_hold_the_others_back() {
        let server = Server::answering([Answer::json(200, r#"[{"messageId":"b"}]"#)]);
        let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(7_000_000));
        let jobs = [job("a", "[]"), job("b", "{}"), job("c", &large)];
        let outcomes = publisher(&server).publish_each(&jobs).await.unwrap();
        let refused: Vec<bool> = outcomes.iter().map(Result::is_err).collect();
        assert_eq!(refused, [true, false, true]);
    }

    #[tokio::test]
    async fn spent_quota_ends_the_call_and_rejects_nothing() {
        let server = Server::answering([Answer::json(412, r#"{"error":"quota"}"#)]);
        let jobs = ["a", "b"].map(|id| job(id, "{}"));
        let error = publisher(&server).publish_each(&jobs).await.unwrap_err();
        assert!(!error.is_rejection(), "{error}");
    }
}
