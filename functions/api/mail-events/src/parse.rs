//! Parsing shared by both providers' events: members, addresses, and why a genuine message is not a mail event.
//!
//! Required are the mail, the kind of event and its time. Any other member counts as absent if it does not have its
//! documented type.

use jiff::Timestamp;
use serde_json::Value;
use shared::protocol::mail::{EmailAddress, Mailbox};

/// The longest name of a type that is logged, in characters.
const MAX_NAME_LEN: usize = 64;

/// Why a genuine message is not a mail event.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum ParseError {
    /// The type changes nothing here.
    #[error("type {0:?}")]
    Other(String),
    /// The structure is not as the provider documents it.
    #[error("unreadable at {0:?}")]
    Unreadable(String),
}

impl ParseError {
    /// Returns the error for a type that changes nothing here.
    pub(crate) fn other(name: &str) -> Self {
        Self::Other(name.chars().take(MAX_NAME_LEN).collect())
    }

    /// Returns the error for an unreadable member. It contains only the pointer, because values may be addresses.
    pub(crate) fn unreadable(pointer: &str) -> Self {
        Self::Unreadable(pointer.to_owned())
    }
}

/// Parses a JSON text.
pub(crate) fn document(text: &[u8]) -> Result<Value, ParseError> {
    serde_json::from_slice(text).map_err(|_| ParseError::unreadable(""))
}

/// Returns a member of a document that must be an object.
pub(crate) fn object<'a>(document: &'a Value, name: &str) -> Result<&'a Value, ParseError> {
    let member = &document[name];
    if member.is_object() {
        return Ok(member);
    }
    Err(ParseError::unreadable(&format!("/{name}")))
}

/// Returns a text member.
pub(crate) fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object[name].as_str()
}

/// Returns an instant member.
pub(crate) fn instant(object: &Value, name: &str) -> Option<Timestamp> {
    text(object, name)?.parse().ok()
}

/// Returns one text or a list of texts; other values are omitted.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Returns the addresses in texts, which may include names. Invalid addresses are omitted: no mail can be sent to them
/// either.
pub(crate) fn addresses<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<EmailAddress> {
    let mailboxes = texts
        .into_iter()
        .filter_map(|text| Mailbox::parse(text).ok());
    mailboxes.map(|mailbox| mailbox.address().clone()).collect()
}

/// Returns the addresses that an event concerns: those of its addresses to which the mail was sent. A forwarding
/// mailbox differs from the address that the provider names. In that case the only address of the mail is the one.
pub(crate) fn concerned(named: Vec<EmailAddress>, mailed: &[EmailAddress]) -> Vec<EmailAddress> {
    let is_mailed = |named: &EmailAddress| {
        let same = |mailed: &EmailAddress| mailed.as_str().eq_ignore_ascii_case(named.as_str());
        mailed.iter().any(same)
    };
    match mailed {
        [] => named,
        [only] => vec![only.clone()],
        _ => named.into_iter().filter(is_mailed).collect(),
    }
}

/// Joins the present words with a separator; none if there is no word.
pub(crate) fn joined(words: &[Option<&str>]) -> Option<String> {
    let words: Vec<&str> = words.iter().flatten().copied().collect();
    (!words.is_empty()).then(|| words.join("; "))
}
