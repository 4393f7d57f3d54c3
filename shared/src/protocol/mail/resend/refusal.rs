//! Maps Resend's answers, and missing answers, to errors (<https://resend.com/docs/api-reference/errors>).

use std::time::Duration;

use ::http::StatusCode;
use reqwest::Response;
use serde::Deserialize;

use crate::protocol::http;
use crate::protocol::mail::reason::without_addresses;
use crate::protocol::mail::{MessageId, SendError};

/// The wait while another request with the same key is in progress.
const IN_PROGRESS_WAIT: Duration = Duration::from_secs(5);

/// The wait when the daily quota is used up.
const DAY_WAIT: Duration = Duration::from_hours(1);

/// The wait when the monthly quota is used up: it can be raised at any time.
const MONTH_WAIT: Duration = Duration::from_hours(6);

/// A fully read answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
    retry_after: Option<Duration>,
}

/// Resend's error body. A proxy's answer may not have this form.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Explanation {
    name: String,
    message: String,
}

impl Answer {
    /// Reads an answer of at most `limit` bytes. If it cannot be read completely, the mail may have been accepted.
    pub(super) async fn read(mut response: Response, limit: usize) -> Result<Self, SendError> {
        let retry_after = http::retry_after(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
            if body.len() + chunk.len() > limit {
                return Err(SendError::Unknown("the answer is too large".into()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Self {
            status: response.status(),
            body,
            retry_after,
        })
    }

    /// Maps an answer other than a success.
    pub(super) fn decide(&self) -> Result<MessageId, SendError> {
        let explanation: Explanation = serde_json::from_slice(&self.body).unwrap_or_default();
        let (status, name) = (self.status.as_u16(), explanation.name.as_str());
        let code = if name.is_empty() {
            status.to_string()
        } else {
            name.to_owned()
        };
        let reason = format!("{code}: {}", without_addresses(&explanation.message));
        let throttled = |after: Option<Duration>| SendError::Throttled {
            retry_after: after,
            reason: reason.clone(),
        };
        Err(match (status, name) {
            // The key was used for an accepted mail; this is the same mail with different text.
            (409, "invalid_idempotent_request") => return Ok(MessageId::unknown()),
            (409, _) => throttled(self.retry_after.or(Some(IN_PROGRESS_WAIT))),
            (_, "daily_quota_exceeded") => throttled(self.retry_after.max(Some(DAY_WAIT))),
            (_, "monthly_quota_exceeded") => throttled(self.retry_after.max(Some(MONTH_WAIT))),
            (429, _) => throttled(self.retry_after),
            (400 | 413 | 422, _) if is_of_this_mail(&explanation) => SendError::Rejected { reason },
            // Resend failed, possibly after it accepted the mail; the key makes a retry safe.
            (500.., _) => SendError::Unknown(reason.into()),
            // The key, the domain, the sender or Resend's address is wrong: the configuration has to be changed.
            _ => SendError::NotAllowed { reason },
        })
    }
}

/// Returns whether the request was rejected for the content of this mail, and not for its sender or the form of the
/// call.
fn is_of_this_mail(explanation: &Explanation) -> bool {
    let ours = ["invalid_from_address", "invalid_idempotency_key"];
    !ours.contains(&explanation.name.as_str()) && !explanation.message.contains("`from`")
}

/// Maps a missing answer: without a connection nothing was sent.
pub(super) fn unanswered(error: reqwest::Error) -> SendError {
    let certainly_not_sent = error.is_connect() || error.is_builder();
    let cause = error.without_url().into();
    if certainly_not_sent {
        SendError::Unavailable(cause)
    } else {
        SendError::Unknown(cause)
    }
}
