//! A failed message: a message that QStash gave up, with its job and the reason.

use url::Url;

use super::Error;
use super::claim::Incoming;
use super::control::{Failed, fail_each};
use super::kind::JobType;
use super::tracking::Tracking;
use crate::protocol::upstash::Redis;

/// How much of the last answer is kept: enough for a problem document.
const MAX_ANSWER_LEN: usize = 500;

/// QStash's data about a failed message.
#[derive(Clone, Debug)]
pub struct FailedMessage {
    /// The message.
    pub message_id: String,
    /// Its destination.
    pub url: Url,
    /// Its body.
    pub body: Vec<u8>,
    /// The status of the last answer; 0 if there was none.
    pub status: u16,
    /// The body of the last answer.
    pub answer: Vec<u8>,
    /// The number of deliveries.
    pub deliveries: u32,
}

impl FailedMessage {
    /// Returns the job type of the message.
    #[must_use]
    pub fn job(&self) -> Option<JobType> {
        JobType::of_handler(self.url.path_segments()?.next_back()?)
    }

    /// Returns the job id of the message; a message of the official client is a job under its own id.
    #[must_use]
    pub fn job_id(&self) -> String {
        let tracking = self.tracking();
        tracking.job_id.unwrap_or_else(|| self.message_id.clone())
    }

    /// Returns the message's body, if it is a JSON object: only an object can be redriven.
    fn payload(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.body).ok()?;
        let object = serde_json::from_str::<serde_json::Map<_, _>>(text).is_ok();
        object.then_some(text)
    }

    fn tracking(&self) -> Tracking {
        self.payload()
            .and_then(|payload| serde_json::from_str(payload).ok())
            .unwrap_or_default()
    }

    /// Returns the reason, in one line.
    fn reason(&self) -> String {
        let answer = String::from_utf8_lossy(&self.answer);
        let answer_text =
            detail(&answer).unwrap_or_else(|| answer.chars().take(MAX_ANSWER_LEN).collect());
        let deliveries = self.deliveries;
        match self.status {
            0 => format!("given up after {deliveries} deliveries without an answer"),
            status => {
                format!(
                    "given up after {deliveries} deliveries, the last answered {status}: {answer_text}"
                )
            }
        }
    }
}

/// A message with its parsed parts.
struct Parsed<'a> {
    message: &'a FailedMessage,
    job: JobType,
    job_id: String,
    generation: u32,
    reason: String,
}

impl<'a> Parsed<'a> {
    fn of(message: &'a FailedMessage) -> Option<Self> {
        Some(Self {
            job: message.job()?,
            job_id: message.job_id(),
            generation: message.tracking().generation.unwrap_or(1),
            reason: message.reason(),
            message,
        })
    }

    fn incoming(&self) -> Incoming<'_> {
        Incoming {
            job_id: &self.job_id,
            job: self.job,
            message_id: &self.message.message_id,
            generation: self.generation,
            payload: self.message.payload().unwrap_or_default(),
        }
    }
}

pub(super) async fn mark_dead(
    redis: &Redis,
    message: &FailedMessage,
) -> Result<Option<Failed>, Error> {
    let marked = mark_dead_each(redis, std::slice::from_ref(message)).await?;
    Ok(marked.into_iter().next())
}

pub(super) async fn mark_dead_each(
    redis: &Redis,
    messages: &[FailedMessage],
) -> Result<Vec<Failed>, Error> {
    let read: Vec<Parsed<'_>> = messages.iter().filter_map(Parsed::of).collect();
    let jobs = read
        .iter()
        .map(|read| (read.incoming(), read.reason.as_str()));
    fail_each(redis, jobs).await
}

/// Returns the detail of a problem document.
fn detail(answer: &str) -> Option<String> {
    let problem: serde_json::Value = serde_json::from_str(answer).ok()?;
    Some(
        problem
            .get("detail")?
            .as_str()?
            .chars()
            .take(MAX_ANSWER_LEN)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::FailedMessage;

    fn message(body: &[u8], status: u16, answer: &str) -> FailedMessage {
        FailedMessage {
            message_id: "msg_1".into(),
            url: "http://localhost:3000/api/jobs/send-email".parse().unwrap(),
            body: body.to_vec(),
            status,
            answer: answer.as_bytes().to_vec(),
            deliveries: 6,
        }
    }

    #[test]
    fn failed_message_finds_its_job_by_the_body_or_the_message_id() {
        let ours = message(br#"{"jobId":"j1","generation":2,"to":"a"}"#, 503, "");
        assert_eq!(
            (ours.job_id().as_str(), ours.tracking().generation),
            ("j1", Some(2))
        );
        assert_eq!(ours.job().unwrap().name(), "email");
        assert_eq!(message(br#"{"to":"a"}"#, 503, "").job_id(), "msg_1");
    }

    #[test]
    fn body_that_is_not_an_object_is_not_kept_for_redriving() {
        for body in [&b"\xff"[..], b"[]", b"nul", b""] {
            assert_eq!(message(body, 489, "").payload(), None);
        }
    }

    #[test]
    fn failure_reason_quotes_the_problem_detail_and_is_bounded() {
        let described = message(
            b"{}",
            503,
            r#"{"detail":"the attempt timed out","code":"retry"}"#,
        )
        .reason();
        assert_eq!(
            described,
            "given up after 6 deliveries, the last answered 503: the attempt timed out"
        );
        assert!(message(b"{}", 500, &"x".repeat(9000)).reason().len() < 700);
        assert!(
            message(b"{}", 0, "")
                .reason()
                .ends_with("without an answer")
        );
    }
}
