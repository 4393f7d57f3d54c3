//! What a notification says, and to whom: the shapes of the web app's jobs.
//!
//! Who is told stands in `userId`. Where the web app leaves it out, the right user follows from what the notification
//! is about: who started the request, or who has the account of the signer's address.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::entry::{Entry, Recipient, page};
use super::text::{ActionUrl, Data, Headline};
use super::words::Usual;
use crate::base::whole;
use crate::service::email::decode::{self, Invalid, Optional, optional};
use crate::service::email::{EmailAddress, Message, Reference};

/// The half that every notification of a request has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Words {
    /// Who is told; else it follows from what the notification is about.
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
    /// The signer's address.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<EmailAddress>)]
    pub signer_email: Option<EmailAddress>,
    /// What it is about, in a line; the type's usual words if absent.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Headline>)]
    pub title: Option<Headline>,
    /// What there is to say; the type's usual words if absent.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Message>)]
    pub message: Option<Message>,
    /// Whatever the web app wants to find with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// Where it leads; the request's page if absent.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<ActionUrl>)]
    pub action_url: Option<ActionUrl>,
}

/// What only a notification to a signer says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToSigner {
    /// The address of the signer whose turn it is.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<EmailAddress>)]
    pub next_signer_email: Option<EmailAddress>,
    /// How often the signer was reminded.
    #[serde(
        default,
        deserialize_with = "whole::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub reminder_count: Option<u32>,
}

/// What only a notification to whoever started a request says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToOwner {
    /// How long there is left to sign, in hours; a part of an hour counts as a whole one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours_until_expiry: Option<f64>,
    /// Where the signed document lies.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Message>)]
    pub pdf_url: Option<Message>,
}

/// A notification of a request: both halves, as members of one object.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OfRequest<S: ToSchema> {
    /// What every one has.
    #[serde(flatten)]
    pub words: Words,
    /// What only some have.
    #[serde(flatten)]
    pub side: S,
}

/// A notification that says all of it itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PlainNotification)]
pub struct Plain {
    /// Who is told.
    pub user_id: Uuid,
    /// What it is about, in a line.
    pub title: Headline,
    /// What there is to say.
    pub message: Message,
    /// Whatever the web app wants to find with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// Where it leads.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<ActionUrl>)]
    pub action_url: Option<ActionUrl>,
}

/// One of the two sides of a request.
pub(super) trait Side: DeserializeOwned + Serialize + ToSchema {
    /// The page of a request on this side.
    const PAGE: &'static str;

    /// Who is told where nobody is named.
    fn recipient(&self, words: &Words) -> Result<Recipient, Invalid>;
}

impl Side for ToSigner {
    const PAGE: &'static str = "sign";

    fn recipient(&self, words: &Words) -> Result<Recipient, Invalid> {
        let named = [&self.next_signer_email, &words.signer_email];
        let named = named.into_iter().flatten().next().cloned();
        let address = named.or_else(|| EmailAddress::parse(words.within("signerEmail")?).ok());
        address.map(Recipient::Account).ok_or_else(nobody)
    }
}

impl Side for ToOwner {
    const PAGE: &'static str = "documents";

    fn recipient(&self, words: &Words) -> Result<Recipient, Invalid> {
        words.request().map(Recipient::Owner).ok_or_else(nobody)
    }
}

fn nobody() -> Invalid {
    Invalid::at(
        "/userId",
        "is missing, and no other field identifies the recipient",
    )
}

impl Words {
    /// What `data` says of the request, where the payload itself does not.
    fn within(&self, member: &str) -> Option<&str> {
        self.data.as_ref()?.get(member)?.as_str()
    }

    fn request(&self) -> Option<Reference> {
        let within = || Reference::try_from(self.within("requestId")?.to_owned()).ok();
        self.request_id.clone().or_else(within)
    }
}

/// Reads both halves of the one object by themselves: flattened, serde would lose which member is wrong.
pub(super) fn of_request<S: Side>(payload: &Value) -> Result<OfRequest<S>, Invalid> {
    let (words, side): (Words, S) = (decode::from(payload)?, decode::from(payload)?);
    if words.user_id.is_none() {
        side.recipient(&words)?;
    }
    Ok(OfRequest { words, side })
}

/// What is written for a notification of a request.
pub(super) fn entry<S: Side>(it: &OfRequest<S>, kind: &'static str, usual: &Usual) -> Entry {
    let words = &it.words;
    let named = words.user_id.map(Recipient::User);
    let recipient = named.or_else(|| it.side.recipient(words).ok());
    let link = words.action_url.as_ref().map(ActionUrl::as_str);
    let request = words.request();
    Entry {
        kind,
        recipient: recipient.unwrap_or(Recipient::Nobody),
        title: text(words.title.as_ref().map(Headline::as_str), usual.title),
        message: text(words.message.as_ref().map(Message::as_str), &usual.message),
        action_url: link
            .map(ToOwned::to_owned)
            .or_else(|| page(S::PAGE, request?.as_str())),
        metadata: metadata(it),
    }
}

/// The web app's own data, and what the payload says of the request, under the names that the web app reads.
fn metadata<S: Side>(it: &OfRequest<S>) -> Map<String, Value> {
    let mut metadata = it.words.data.clone().map(Map::from).unwrap_or_default();
    let words = Words {
        request_id: it.words.request_id.clone(),
        signer_email: it.words.signer_email.clone(),
        ..Words::default()
    };
    let facts = [serde_json::to_value(words), serde_json::to_value(&it.side)];
    for fact in facts.into_iter().flatten() {
        if let Value::Object(members) = fact {
            metadata.extend(members);
        }
    }
    metadata
}

impl Plain {
    /// What is written for it.
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

fn text(own: Option<&str>, usual: &str) -> String {
    own.unwrap_or(usual).to_owned()
}
