//! What QStash says when it gives a message up (<https://upstash.com/docs/qstash/features/callbacks>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use shared::service::job::{JobType, Tracking};
use url::Url;

/// How much of the last answer is kept: enough for a problem document.
const LONGEST_ANSWER: usize = 500;

/// A failure callback, as far as it is needed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FailureCallback {
    /// The message that was given up.
    pub(crate) source_message_id: String,
    /// Where it was delivered to.
    url: Url,
    /// Its body, in base64.
    #[serde(default)]
    source_body: String,
    /// The status of the last answer; 0 if there was none.
    #[serde(default)]
    pub(crate) status: u16,
    /// The body of the last answer, in base64.
    #[serde(default)]
    body: String,
    /// How often it was retried.
    #[serde(default)]
    retried: u32,
}

impl FailureCallback {
    /// The type of job that the message was for.
    pub(crate) fn job(&self) -> Option<JobType> {
        JobType::of_handler(self.url.path_segments()?.next_back()?)
    }

    /// The message's body, if it is JSON: what can be redriven.
    pub(crate) fn payload(&self) -> Option<String> {
        let text = String::from_utf8(STANDARD.decode(&self.source_body).ok()?).ok()?;
        let object = serde_json::from_str::<serde_json::Map<_, _>>(&text).is_ok();
        object.then_some(text)
    }

    /// Which job the message carried; a message of the official client is a job under its own id.
    pub(crate) fn tracking(&self) -> Tracking {
        self.payload()
            .and_then(|payload| serde_json::from_str(&payload).ok())
            .unwrap_or_default()
    }

    /// Why it was given up, in a line.
    pub(crate) fn reason(&self) -> String {
        let answer = STANDARD.decode(&self.body).unwrap_or_default();
        let answer = String::from_utf8_lossy(&answer);
        let said = detail(&answer).unwrap_or_else(|| answer.chars().take(LONGEST_ANSWER).collect());
        let attempts = self.retried.saturating_add(1);
        match self.status {
            0 => format!("given up after {attempts} deliveries without an answer"),
            status => {
                format!("given up after {attempts} deliveries, the last answered {status}: {said}")
            }
        }
    }
}

/// The detail of a problem document.
fn detail(answer: &str) -> Option<String> {
    let problem: serde_json::Value = serde_json::from_str(answer).ok()?;
    Some(
        problem
            .get("detail")?
            .as_str()?
            .chars()
            .take(LONGEST_ANSWER)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::{FailureCallback, STANDARD};
    use base64::Engine as _;

    fn callback(source: &[u8], status: u16, answer: &str) -> FailureCallback {
        serde_json::from_value(serde_json::json!({
            "sourceMessageId": "msg_1",
            "url": "http://localhost:3000/api/jobs/send-email",
            "sourceBody": STANDARD.encode(source),
            "status": status,
            "body": STANDARD.encode(answer),
            "retried": 5,
        }))
        .unwrap()
    }

    #[test]
    fn the_job_is_found_by_what_its_message_carried() {
        let callback = callback(br#"{"jobId":"j1","generation":2,"to":"a"}"#, 503, "");
        assert_eq!(callback.tracking().job_id.as_deref(), Some("j1"));
        assert_eq!(callback.tracking().generation, Some(2));
        assert_eq!(callback.job().unwrap().name(), "email");
    }

    #[test]
    fn a_body_that_is_no_object_is_not_kept_for_redriving() {
        for body in [&b"\xff"[..], b"[]", b"nul", b""] {
            assert_eq!(callback(body, 489, "").payload(), None);
        }
    }

    #[test]
    fn the_reason_quotes_the_detail_of_a_problem_and_no_more_than_fits() {
        let told = callback(b"{}", 503, r#"{"detail":"ran out of time","code":"retry"}"#).reason();
        assert_eq!(
            told,
            "given up after 6 deliveries, the last answered 503: ran out of time"
        );
        assert!(callback(b"{}", 500, &"x".repeat(9000)).reason().len() < 700);
        assert!(
            callback(b"{}", 0, "")
                .reason()
                .ends_with("without an answer")
        );
    }
}
