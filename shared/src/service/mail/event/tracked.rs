//! A tracked mail: the ledger's row together with its provider's events.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::protocol::mail::EmailAddress;
use crate::service::mail::payload::Reference;

/// A mail to one recipient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrackedMail {
    /// The type of the e-mail.
    pub kind: String,
    /// The recipient's address; absent if only a later mail has named this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// The signing request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The id of the signer's row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer_id: Option<String>,
    /// Distinguishes mails of this kind to the same signer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<String>,
    /// The job that last tried to send the mail.
    pub job_id: String,
    /// The state in the ledger.
    pub state: State,
    /// The reason if the mail was not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The delivery status; absent until a provider has accepted the mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// The provider's text from the newest event that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Whether the mail may have been sent twice and no event has confirmed it yet.
    pub in_doubt: bool,
    /// Whether the mail is known to have been sent more than once.
    pub doubled: bool,
    /// The provider that accepted the mail, or was asked last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The provider's id of the mail: the first of `messageIds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// All ids that the provider gave to the mail.
    pub message_ids: Vec<String>,
    /// When the mail was added to the ledger.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When the provider accepted the mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub accepted_at: Option<Timestamp>,
    /// When the recipient's server first delayed the mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub delayed_at: Option<Timestamp>,
    /// When the recipient's server accepted the mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub delivered_at: Option<Timestamp>,
    /// When the mail was first opened, or a link in it was clicked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub opened_at: Option<Timestamp>,
    /// When the mail bounced temporarily, for example because of a full mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub soft_bounced_at: Option<Timestamp>,
    /// When the mail bounced permanently.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub bounced_at: Option<Timestamp>,
    /// When the recipient reported the mail as spam.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub complained_at: Option<Timestamp>,
    /// When the provider failed to send the mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failed_at: Option<Timestamp>,
}

/// The state of a mail in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = MailState)]
pub enum State {
    /// An attempt is in progress, or ended without a result.
    Sending,
    /// The provider accepted the mail.
    Accepted,
    /// The provider did not accept the mail; it may be retried.
    Released,
    /// The provider rejected the mail permanently.
    Rejected,
    /// The recipient is on the suppression list.
    Suppressed,
    /// A later mail replaced this one.
    Superseded,
}

/// The delivery status of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = MailDelivery)]
pub enum Delivery {
    /// The provider accepted the mail.
    Sent,
    /// The recipient's server delayed the mail.
    Delayed,
    /// The provider accepted the mail, but did not send it.
    Failed,
    /// The mail bounced temporarily.
    SoftBounced,
    /// The recipient's server accepted the mail.
    Delivered,
    /// The recipient opened the mail.
    Opened,
    /// The mail bounced permanently.
    Bounced,
    /// The recipient reported the mail as spam.
    Complained,
}

/// The filter of a page.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only the mails of this signing request.
    pub request_id: Option<Reference>,
    /// Only mails to this address, ignoring case.
    pub email: Option<EmailAddress>,
    /// Only mails of this job.
    pub job_id: Option<Reference>,
    /// The largest number of mails, 1 to 100.
    pub limit: u32,
    /// The cursor of the previous page.
    pub cursor: Option<super::Cursor>,
}
