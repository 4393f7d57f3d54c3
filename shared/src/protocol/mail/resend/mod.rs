//! Resend over its REST API (`POST /emails`, <https://resend.com/docs/api-reference/emails/send-email>).
//!
//! The ledger's key is the `Idempotency-Key`. For 24 hours, Resend answers the same request under the same key with the
//! first mail's id and sends nothing. A mail's JSON depends on the mail alone, so that a repetition is the same
//! request. Each call is made once: the ledger decides about retries, not the transport.

mod refusal;
mod request;

use std::time::Duration;

use http::HeaderValue;
use http::header::{AUTHORIZATION, USER_AGENT};
use serde::Deserialize;
use url::Url;

use self::refusal::Answer;
use self::request::Email;
use super::{Mail, MessageId, SendError};
use crate::base::env;
use crate::base::secret::Secret;
use crate::protocol::http as transport;

/// The public address of Resend (the default of `RESEND_URL`).
const PUBLIC_URL: &str = "https://api.resend.com";

/// The time limit of one call, including connection and answer.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(8);

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 << 10;

/// The user agent: Resend rejects requests without one.
const AGENT: HeaderValue = HeaderValue::from_static("signtusk-functions");

/// A sender over Resend. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Resend {
    http: reqwest::Client,
    emails: Url,
    authorization: HeaderValue,
}

/// Why the sender could not be built.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The address is not an http(s) URL without query and fragment.
    #[error("Resend's URL must be an http(s) URL")]
    Url,
    /// The key contains characters that a header cannot contain.
    #[error("Resend's key has characters that are not allowed in a header")]
    Key,
    /// The HTTP client cannot be built.
    #[error(transparent)]
    Http(#[from] transport::Error),
}

/// The answer for an accepted mail.
#[derive(Deserialize)]
struct Taken {
    id: String,
}

impl Resend {
    /// Returns a sender from `RESEND_URL` (default: the public address) and `RESEND_API_KEY`. It makes no call yet.
    pub fn from_env() -> Result<Self, env::Error> {
        let url = env::optional("RESEND_URL").unwrap_or_else(|| PUBLIC_URL.to_owned());
        let key = env::secret("RESEND_API_KEY")?;
        Self::new(&url, &key, ATTEMPT_TIMEOUT).map_err(|error| env::Error::Malformed {
            name: match error {
                SetupError::Key => "RESEND_API_KEY",
                SetupError::Url | SetupError::Http(_) => "RESEND_URL",
            },
            reason: error.to_string(),
        })
    }

    /// Returns a sender for the Resend at `url`. Every call ends within `timeout`.
    pub fn new(url: &str, key: &Secret, timeout: Duration) -> Result<Self, SetupError> {
        let mut emails = Url::parse(url).map_err(|_| SetupError::Url)?;
        if !transport::is_base(&emails) {
            return Err(SetupError::Url);
        }
        emails
            .path_segments_mut()
            .map_err(|()| SetupError::Url)?
            .pop_if_empty()
            .push("emails");
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", key.expose()))
            .map_err(|_| SetupError::Key)?;
        authorization.set_sensitive(true);
        Ok(Self {
            http: transport::client(timeout)?,
            emails,
            authorization,
        })
    }

    /// Sends one mail to Resend, once, under the idempotency key `key` (at most 256 letters, digits, `_` and `-`),
    /// which is also its tag.
    ///
    /// A different mail under a known key counts as accepted: Resend has sent the first one. Its id is then unknown
    /// ([`MessageId::unknown`]); Resend's events contain it.
    pub async fn send(&self, mail: &Mail, key: &str) -> Result<MessageId, SendError> {
        let body = serde_json::to_vec(&Email::new(mail, key)).map_err(|error| {
            let reason = error.to_string();
            SendError::Rejected { reason }
        })?;
        let request = self
            .http
            .post(self.emails.clone())
            .header(AUTHORIZATION, &self.authorization)
            .header(USER_AGENT, AGENT)
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(body);
        let response = request.send().await.map_err(refusal::unanswered)?;
        let answer = Answer::read(response, MAX_ANSWER).await?;
        if !answer.status.is_success() {
            return answer.decide();
        }
        // Another success body may come from a proxy that does not send mails; the key makes a retry safe.
        let taken: Taken = serde_json::from_slice(&answer.body)
            .map_err(|error| SendError::Unknown(error.into()))?;
        Ok(MessageId::new(taken.id))
    }
}

#[cfg(test)]
mod tests;
