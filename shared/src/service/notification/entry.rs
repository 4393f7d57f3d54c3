//! One notification to one user, before it is written.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

use super::text::ActionUrl;
use crate::service::mail::payload::{EmailAddress, Reference};

/// One notification to one user, as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The type, as named in payloads.
    pub kind: &'static str,
    /// The recipient.
    pub recipient: Recipient,
    /// The title, at most 255 characters.
    pub title: String,
    /// The message.
    pub message: String,
    /// The data for the web app.
    pub metadata: Map<String, Value>,
    /// The link, at most 500 characters.
    pub action_url: Option<String>,
}

/// The recipient of a notification.
#[derive(Clone, Debug, PartialEq)]
pub enum Recipient {
    /// This user.
    User(Uuid),
    /// The owner of this signing request.
    Owner(Reference),
    /// The user with the account of this address, if there is one.
    Account(EmailAddress),
    /// No recipient is known.
    Unknown,
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("type", self.kind)?;
        match &self.recipient {
            Recipient::User(id) => members.serialize_entry("userId", id)?,
            Recipient::Owner(request) => members.serialize_entry("ownerOf", request)?,
            Recipient::Account(address) => {
                members.serialize_entry("accountOf", address.as_str())?;
            }
            Recipient::Unknown => {}
        }
        members.serialize_entry("title", &self.title)?;
        members.serialize_entry("message", &self.message)?;
        members.serialize_entry("metadata", &self.metadata)?;
        members.serialize_entry("actionUrl", &self.action_url)?;
        members.end()
    }
}

/// Returns the page of a request in the web app; none if its id makes the path too long.
pub(super) fn page(section: &str, request: &str) -> Option<String> {
    // Only the path is used: the base URL provides the escaping.
    let mut url = Url::parse("http://localhost").ok()?;
    url.path_segments_mut().ok()?.extend([section, request]);
    let path = url.path();
    (path.len() <= ActionUrl::MAX_LEN).then(|| path.to_owned())
}
