//! Resend over its REST API (`POST /emails`, <https://resend.com/docs/api-reference/emails/send-email>).
//!
//! The ledger's key is the `Idempotency-Key`: for 24 hours the same request under the same key is answered with the
//! first mail's id and sends nothing. So that a repetition is the same request, a mail's JSON depends on the mail
//! alone. A call is made once: whether a mail may be tried again is the ledger's decision, not the transport's.

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

/// Where Resend lives (the default of `RESEND_URL`).
const PUBLIC_URL: &str = "https://api.resend.com";

/// How long one call may take, its connection and its answer included.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(8);

/// The most that is read of an answer, in bytes.
const MAX_ANSWER: usize = 64 << 10;

/// Who calls: Resend answers nobody who does not say so.
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
    /// The key cannot stand in a header.
    #[error("Resend's key has characters that are not allowed in a header")]
    Key,
    /// The HTTP client cannot be built.
    #[error(transparent)]
    Http(#[from] transport::Error),
}

/// A mail that was taken.
#[derive(Deserialize)]
struct Taken {
    id: String,
}

impl Resend {
    /// A sender from `RESEND_URL` (default: the public address) and `RESEND_API_KEY`. Nothing is called yet.
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

    /// A sender for the Resend at `url`. Every call ends within `timeout`.
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

    /// Hands one mail to Resend, once, under the idempotency key `key` (at most 256 letters, digits, `_` and `-`),
    /// which is also its tag.
    ///
    /// A mail that Resend took under this key before, written in other words, counts as taken: the first words have
    /// gone. Its id is not told then ([`MessageId::unknown`]); Resend's events bring it.
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
        // A success in other words may be that of a proxy which knows nothing of mails; the key makes asking again safe.
        let taken: Taken = serde_json::from_slice(&answer.body)
            .map_err(|error| SendError::Unknown(error.into()))?;
        Ok(MessageId::new(taken.id))
    }
}

#[cfg(test)]
mod tests;
