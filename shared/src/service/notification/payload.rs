//! The payloads of notifications, in the shapes of the web app's jobs.
//!
//! `userId` names the recipient. If the web app omits it, the recipient follows from the notification: the owner of the
//! request, or the user with the account of the signer's address.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::default_text::DefaultText;
use super::entry::{Entry, Recipient, page};
use super::text::{ActionUrl, Data, Headline};
use crate::base::integer;
use crate::service::mail::payload::decode::{self, Invalid, Optional, optional};
use crate::service::mail::payload::{EmailAddress, Message, Reference};

/// The members that all notifications of a request share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Words)]
pub struct CommonFields {
    /// The id of the recipient. Default: the user that the notification is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Uuid>,
    /// The signing request.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Reference>)]
    pub request_id: Option<Reference>,
    /// The signer's e-mail address.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<EmailAddress>)]
    pub signer_email: Option<EmailAddress>,
    /// The title in one line. Default: the title of the type.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Headline>)]
    pub title: Option<Headline>,
    /// The message. Default: the message of the type.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Message>)]
    pub message: Option<Message>,
    /// Data stored for the web app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// The link of the notification. Default: the page of the request.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<ActionUrl>)]
    pub action_url: Option<ActionUrl>,
}

/// The members of a notification to a signer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToSigner {
    /// The e-mail address of the signer whose turn it is.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<EmailAddress>)]
    pub next_signer_email: Option<EmailAddress>,
    /// The number of reminders to the signer.
    #[serde(
        default,
        deserialize_with = "integer::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub reminder_count: Option<u32>,
}

/// The members of a notification to the owner of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToOwner {
    /// The hours left to sign, rounded up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours_until_expiry: Option<f64>,
    /// The location of the signed document.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Message>)]
    pub pdf_url: Option<Message>,
}

/// A notification of a request: the shared members and those of its type, in one object.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OfRequest<S: ToSchema> {
    /// The shared members.
    #[serde(flatten)]
    pub common: CommonFields,
    /// The members of the type.
    #[serde(flatten)]
    pub side: S,
}

/// A notification whose text is given in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PlainNotification)]
pub struct Plain {
    /// The id of the recipient.
    pub user_id: Uuid,
    /// The title in one line.
    pub title: Headline,
    /// The message.
    pub message: Message,
    /// Data stored for the web app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// The link of the notification.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<ActionUrl>)]
    pub action_url: Option<ActionUrl>,
}

/// A side of a request: the signers or the owner.
pub(super) trait Side: DeserializeOwned + Serialize + ToSchema {
    /// The page of a request for this side.
    const PAGE: &'static str;

    /// Returns the default recipient.
    fn recipient(&self, common: &CommonFields) -> Result<Recipient, Invalid>;
}

impl Side for ToSigner {
    const PAGE: &'static str = "sign";

    fn recipient(&self, common: &CommonFields) -> Result<Recipient, Invalid> {
        let named = [&self.next_signer_email, &common.signer_email];
        let named = named.into_iter().flatten().next().cloned();
        let address = named.or_else(|| EmailAddress::parse(common.within("signerEmail")?).ok());
        address
            .map(Recipient::Account)
            .ok_or_else(missing_recipient)
    }
}

impl Side for ToOwner {
    const PAGE: &'static str = "documents";

    fn recipient(&self, common: &CommonFields) -> Result<Recipient, Invalid> {
        common
            .request()
            .map(Recipient::Owner)
            .ok_or_else(missing_recipient)
    }
}

fn missing_recipient() -> Invalid {
    Invalid::at(
        "/userId",
        "is missing, and no other field identifies the recipient",
    )
}

impl CommonFields {
    /// Returns a member of `data` about the request, if the payload itself lacks it.
    fn within(&self, member: &str) -> Option<&str> {
        self.data.as_ref()?.get(member)?.as_str()
    }

    fn request(&self) -> Option<Reference> {
        let within = || Reference::try_from(self.within("requestId")?.to_owned()).ok();
        self.request_id.clone().or_else(within)
    }
}

/// Reads both parts of the object separately: with `flatten`, serde would not know which member is invalid.
pub(super) fn of_request<S: Side>(payload: &Value) -> Result<OfRequest<S>, Invalid> {
    let (common, side): (CommonFields, S) = (decode::from(payload)?, decode::from(payload)?);
    if common.user_id.is_none() {
        side.recipient(&common)?;
    }
    Ok(OfRequest { common, side })
}

/// Returns the row of a notification about a request.
pub(super) fn entry<S: Side>(
    it: &OfRequest<S>,
    kind: &'static str,
    default: &DefaultText,
) -> Entry {
    let common = &it.common;
    let named = common.user_id.map(Recipient::User);
    let recipient = named.or_else(|| it.side.recipient(common).ok());
    let link = common.action_url.as_ref().map(ActionUrl::as_str);
    let request = common.request();
    Entry {
        kind,
        recipient: recipient.unwrap_or(Recipient::Unknown),
        title: text(common.title.as_ref().map(Headline::as_str), default.title),
        message: text(
            common.message.as_ref().map(Message::as_str),
            &default.message,
        ),
        action_url: link
            .map(ToOwned::to_owned)
            .or_else(|| page(S::PAGE, request?.as_str())),
        metadata: metadata(it),
    }
}

/// Returns the web app's own data, and the payload's members about the request, under the names that the web app reads.
fn metadata<S: Side>(it: &OfRequest<S>) -> Map<String, Value> {
    let mut metadata = it.common.data.clone().map(Map::from).unwrap_or_default();
    let common = CommonFields {
        request_id: it.common.request_id.clone(),
        signer_email: it.common.signer_email.clone(),
        ..CommonFields::default()
    };
    let facts = [serde_json::to_value(common), serde_json::to_value(&it.side)];
    for fact in facts.into_iter().flatten() {
        if let Value::Object(members) = fact {
            metadata.extend(members);
        }
    }
    metadata
}

impl Plain {
    /// Returns the row to write.
    pub(super) fn entry(&self, kind: &'static str) -> Entry {
        Entry {
            kind,
            recipient: Recipient::User(self.user_id),
            title: self.title.as_str().to_owned(),
            message: self.message.as_str().to_owned(),
            metadata: self.data.clone().map(Map::from).unwrap_or_default(),
            action_url: self.action_url.as_ref().map(|it| it.as_str().to_owned()),
        }
    }
}

fn text(own: Option<&str>, default: &str) -> String {
    own.unwrap_or(default).to_owned()
}
