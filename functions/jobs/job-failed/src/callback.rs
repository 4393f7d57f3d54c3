//! What QStash says when it gives a message up (<https://upstash.com/docs/qstash/features/callbacks>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use shared::service::job::FailedMessage;
use url::Url;

/// A failure callback, as far as it is needed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FailureCallback {
    /// The message that was given up.
    source_message_id: String,
    /// Where it was delivered to.
    url: Url,
    /// Its body, in base64.
    #[serde(default)]
    source_body: String,
    /// The status of the last answer; 0 if there was none.
    #[serde(default)]
    status: u16,
    /// The body of the last answer, in base64.
    #[serde(default)]
    body: String,
    /// How often it was retried.
    #[serde(default)]
    retried: u32,
}

impl From<FailureCallback> for FailedMessage {
    /// What is no base64 counts as empty: the job is dead all the same.
    fn from(callback: FailureCallback) -> Self {
        Self {
            message_id: callback.source_message_id,
            url: callback.url,
            body: STANDARD.decode(&callback.source_body).unwrap_or_default(),
            status: callback.status,
            answer: STANDARD.decode(&callback.body).unwrap_or_default(),
            deliveries: callback.retried.saturating_add(1),
        }
    }
}
