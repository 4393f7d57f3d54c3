//! What the readers of both providers' events share: members, addresses, and why a genuine message tells nothing.
//!
//! An event is read for what it is: what must be there is who it is about, what happened and when. A member beside that
//! which is not of its documented type counts as absent.

use jiff::Timestamp;
use serde_json::Value;
use shared::protocol::mail::{EmailAddress, Mailbox};

/// The longest name of a type that is logged, in characters.
const MAX_NAME_LEN: usize = 64;

/// Why a genuine message is no event of a mail.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum ParseError {
    /// It tells of something that changes nothing here.
    #[error("type {0:?}")]
    Other(String),
    /// It is not built as the provider documents it.
    #[error("unreadable at {0:?}")]
    Unreadable(String),
}

impl ParseError {
    /// A type that changes nothing here.
    pub(crate) fn other(name: &str) -> Self {
        Self::Other(name.chars().take(MAX_NAME_LEN).collect())
    }

    /// A place that cannot be read. It is named by its pointer alone, because values may be addresses.
    pub(crate) fn unreadable(pointer: &str) -> Self {
        Self::Unreadable(pointer.to_owned())
    }
}

/// A JSON text.
pub(crate) fn document(text: &[u8]) -> Result<Value, ParseError> {
    serde_json::from_slice(text).map_err(|_| ParseError::unreadable(""))
}

/// A member of a document that must be an object.
pub(crate) fn object<'a>(document: &'a Value, name: &str) -> Result<&'a Value, ParseError> {
    let member = &document[name];
    if member.is_object() {
        return Ok(member);
    }
    Err(ParseError::unreadable(&format!("/{name}")))
}

/// A member that is a text.
pub(crate) fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object[name].as_str()
}

/// A member that is an instant.
pub(crate) fn instant(object: &Value, name: &str) -> Option<Timestamp> {
    text(object, name)?.parse().ok()
}

/// One text, or a list of them; what is none is left out.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The addresses among texts that are addresses with or without a name. What is none is left out: nothing can be sent
/// to it either.
pub(crate) fn addresses<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<EmailAddress> {
    let mailboxes = texts
        .into_iter()
        .filter_map(|text| Mailbox::parse(text).ok());
    mailboxes.map(|mailbox| mailbox.address().clone()).collect()
}

/// Whom an event concerns: those of the addresses that it names to which the mail went. A mailbox that forwards is not
/// the one that the provider names: then it is the only one that was mailed.
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

/// The words that are there, with a mark between each two; nothing where none is.
pub(crate) fn joined(words: &[Option<&str>]) -> Option<String> {
    let words: Vec<&str> = words.iter().flatten().copied().collect();
    (!words.is_empty()).then(|| words.join("; "))
}
