//! What the readers of both providers' events share: members, addresses, and why a genuine message tells nothing.

use serde::Deserialize;
use serde_json::Value;
use shared::edge::input;
use shared::protocol::mail::{EmailAddress, Mailbox};

/// The longest name of a type that is logged, in characters.
const LONGEST_NAME: usize = 64;

/// Why a genuine message is no event of a mail.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum NoEvent {
    /// It tells of something that changes nothing here.
    #[error("of type {0:?}")]
    Other(String),
    /// It is not built as the provider documents it.
    #[error("not readable at {0:?}")]
    Unreadable(String),
}

impl NoEvent {
    /// A type that changes nothing here.
    pub(crate) fn other(name: &str) -> Self {
        Self::Other(name.chars().take(LONGEST_NAME).collect())
    }
}

/// A JSON text.
pub(crate) fn document(text: &[u8]) -> Result<Value, NoEvent> {
    serde_json::from_slice(text).map_err(|_| NoEvent::Unreadable(String::new()))
}

/// A member of an object. What is wrong with it is told by its pointer alone, because values may be addresses.
pub(crate) fn member<'de, T: Deserialize<'de>>(
    object: &'de Value,
    name: &str,
) -> Result<T, NoEvent> {
    input::fit(&object[name]).map_err(|problem| {
        let within = problem.errors.first().map(|error| error.pointer.as_str());
        NoEvent::Unreadable(format!("/{name}{}", within.unwrap_or_default()))
    })
}

/// The addresses among texts that are addresses with or without a name. What is none is left out: nothing can be sent
/// to it either.
pub(crate) fn addresses<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<EmailAddress> {
    let mailboxes = texts
        .into_iter()
        .filter_map(|text| Mailbox::parse(text).ok());
    mailboxes.map(|mailbox| mailbox.address().clone()).collect()
}

/// The words that are there, with a mark between each two; nothing where none is.
pub(crate) fn joined(words: &[Option<&str>]) -> Option<String> {
    let words: Vec<&str> = words.iter().flatten().copied().collect();
    (!words.is_empty()).then(|| words.join("; "))
}
