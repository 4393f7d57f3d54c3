//! The failure callback of QStash (<https://upstash.com/docs/qstash/features/callbacks>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use shared::service::job::FailedMessage;
use url::Url;

/// A failure callback, reduced to the members used here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FailureCallback {
    /// The id of the failed message.
    source_message_id: String,
    /// The destination of the message.
    url: Url,
    /// The message's body, in base64.
    #[serde(default)]
    source_body: String,
    /// The status of the last response; 0 if there was none.
    #[serde(default)]
    status: u16,
    /// The body of the last response, in base64.
    #[serde(default)]
    body: String,
    /// The number of retries.
    #[serde(default)]
    retried: u32,
}

impl From<FailureCallback> for FailedMessage {
    /// Converts a callback. Invalid base64 counts as empty: the job is dead in any case.
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
