//! A mail as the ledger and its provider's events know it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::protocol::mail::EmailAddress;
use crate::service::email::Reference;

/// What became of one mail to one recipient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrackedMail {
    /// The e-mail's type.
    pub kind: String,
    /// Who gets it; absent while only a later mail has named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// The signing request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The signer's row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer_id: Option<String>,
    /// Which mail of its kind to that signer it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<String>,
    /// The job that last tried to send it.
    pub job_id: String,
    /// What the ledger says.
    pub state: State,
    /// Why it was not sent, where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How far it has come; absent while no provider has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// The provider's words on the newest event that has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Whether it may have gone twice, and no event has told yet.
    pub in_doubt: bool,
    /// Whether it is known to have gone more than once.
    pub doubled: bool,
    /// The provider that has it or was last asked to take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The provider's id of it; the first of `messageIds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Every id that the provider gave to it.
    pub message_ids: Vec<String>,
    /// When the ledger first knew it.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When the provider took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub accepted_at: Option<Timestamp>,
    /// When the recipient's server first put it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub delayed_at: Option<Timestamp>,
    /// When the recipient's server took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub delivered_at: Option<Timestamp>,
    /// When it was first opened, or a link in it followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub opened_at: Option<Timestamp>,
    /// When it came back for a reason that may pass, such as a full mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub soft_bounced_at: Option<Timestamp>,
    /// When it came back for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub bounced_at: Option<Timestamp>,
    /// When the recipient called it spam.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub complained_at: Option<Timestamp>,
    /// When the provider gave it up before sending it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failed_at: Option<Timestamp>,
}

/// What the ledger says of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = MailState)]
pub enum State {
    /// An attempt is under way, or ended without a word.
    Sending,
    /// The provider has it.
    Accepted,
    /// It was surely not taken, and may be tried again.
    Released,
    /// The provider will never take it.
    Rejected,
    /// Its recipient stands on the suppression list.
    Suppressed,
    /// A later mail took its place.
    Superseded,
}

/// How far a mail has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = MailDelivery)]
pub enum Delivery {
    /// The provider has it.
    Sent,
    /// The recipient's server has put it off.
    Delayed,
    /// The provider took it and then did not send it.
    Failed,
    /// It came back for a reason that may pass.
    SoftBounced,
    /// The recipient's server has it.
    Delivered,
    /// It was opened.
    Opened,
    /// It came back for good.
    Bounced,
    /// The recipient called it spam.
    Complained,
}

/// What a page of mails is made of.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only the mails of this signing request.
    pub request_id: Option<Reference>,
    /// Only those to this address, in whatever case.
    pub email: Option<EmailAddress>,
    /// Only those of this job.
    pub job_id: Option<Reference>,
    /// Mails at the most, 1 to 100.
    pub limit: u32,
    /// The cursor of the page before.
    pub cursor: Option<super::Cursor>,
}
