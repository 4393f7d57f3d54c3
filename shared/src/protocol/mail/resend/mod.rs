//! Resend over its HTTP API (`POST /emails`).
//!
//! The mail's key travels as `Idempotency-Key`, which Resend remembers for 24 hours: within them the same mail handed
//! over again is not sent again, and the first answer comes back. Source: Resend's API reference (send email,
//! idempotency keys, errors).

mod refusal;

use std::time::Duration;

use http::HeaderValue;
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{LEDGER_TAG, Mail, MessageId, SendError};
use crate::base::env;
use crate::protocol::http as transport;

/// Where Resend lives (the default of `RESEND_URL`).
const PUBLIC_URL: &str = "https://api.resend.com";

/// How long one call may take, its answer included.
const TIMEOUT: Duration = Duration::from_secs(8);

/// The largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 64 << 10;

/// A sender over Resend.
#[derive(Clone, Debug)]
pub struct Resend {
    http: reqwest::Client,
    emails: Url,
    authorization: HeaderValue,
}

/// The body of `POST /emails`.
#[derive(Serialize)]
struct Body<'a> {
    from: String,
    to: [&'a str; 1],
    subject: &'a str,
    html: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<&'a str>,
    headers: serde_json::Map<String, serde_json::Value>,
    tags: [Tag<'a>; 1],
}

#[derive(Serialize)]
struct Tag<'a> {
    name: &'a str,
    value: &'a str,
}

/// The answer to a mail that was taken.
#[derive(Deserialize)]
struct Taken {
    id: String,
}

impl Resend {
    /// A sender with `RESEND_API_KEY`, to `RESEND_URL` or the public address.
    pub fn from_env() -> Result<Self, env::Error> {
        let malformed = |name, reason: String| env::Error::Malformed { name, reason };
        let key = env::secret("RESEND_API_KEY")?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", key.expose()))
            .map_err(|_| malformed("RESEND_API_KEY", "it cannot stand in a header".to_owned()))?;
        authorization.set_sensitive(true);
        let mut emails: Url = match env::optional("RESEND_URL") {
            Some(url) => url.parse(),
            None => PUBLIC_URL.parse(),
        }
        .map_err(|error: url::ParseError| malformed("RESEND_URL", error.to_string()))?;
        emails
            .path_segments_mut()
            .map_err(|()| malformed("RESEND_URL", "it is not an http URL".to_owned()))?
            .pop_if_empty()
            .push("emails");
        let http = transport::client(TIMEOUT)
            .map_err(|error| malformed("RESEND_URL", error.to_string()))?;
        Ok(Self {
            http,
            emails,
            authorization,
        })
    }

    /// Hands one mail to Resend, once. `key` is what the mail is.
    pub async fn send(&self, mail: &Mail, key: &str) -> Result<MessageId, SendError> {
        let request = self
            .http
            .post(self.emails.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, "application/json")
            // Resend refuses calls without one.
            .header(
                USER_AGENT,
                concat!("signtusk-functions/", env!("CARGO_PKG_VERSION")),
            )
            .header("idempotency-key", key)
            .body(body(mail, key).map_err(|error| SendError::Rejected {
                reason: error.to_string(),
            })?);
        let mut answer = request.send().await.map_err(not_answered)?;
        let status = answer.status();
        let retry_after = answer
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let body = read(&mut answer).await?;
        if !status.is_success() {
            return refusal::decide(status.as_u16(), &body, retry_after);
        }
        let taken: Taken = serde_json::from_slice(&body).map_err(|error| unknown(error.into()))?;
        Ok(MessageId::new(taken.id))
    }
}

fn body(mail: &Mail, key: &str) -> serde_json::Result<Vec<u8>> {
    let headers = mail
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_str().into()));
    serde_json::to_vec(&Body {
        from: mail.from.to_string(),
        to: [mail.to.as_str()],
        subject: &mail.subject,
        html: &mail.html,
        text: &mail.text,
        reply_to: mail.reply_to.as_ref().map(super::EmailAddress::as_str),
        headers: headers.collect(),
        tags: [Tag {
            name: LEDGER_TAG,
            value: key,
        }],
    })
}

async fn read(answer: &mut reqwest::Response) -> Result<Vec<u8>, SendError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(|error| unknown(error.into()))?
    {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(unknown("the answer is too large".into()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Without a connection the mail has not left; after that, nobody knows.
fn not_answered(error: reqwest::Error) -> SendError {
    if error.is_connect() {
        SendError::Unavailable(error.into())
    } else {
        unknown(error.into())
    }
}

fn unknown(cause: super::Cause) -> SendError {
    SendError::Unknown(cause)
}
