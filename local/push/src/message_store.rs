//! The accepted messages, and the responses that a test sets.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use serde::Serialize;

/// An accepted message, unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PushMessage {
    /// The subscription's name: the last part of its endpoint.
    pub name: String,
    /// The encrypted body, in base64url.
    pub body: String,
    /// The body's encoding.
    pub content_encoding: String,
    /// Its lifetime, in seconds.
    pub ttl: u64,
    /// Its urgency.
    pub urgency: String,
    /// Its topic: it replaces an earlier message of the topic.
    pub topic: String,
    /// The unchanged `Authorization` header.
    pub authorization: String,
}

/// The stored messages. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct MessageStore(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    taken: Vec<PushMessage>,
    answers: BTreeMap<String, StatusCode>,
    first: BTreeMap<String, StatusCode>,
    asked: u64,
}

impl MessageStore {
    /// Returns the response that a test set for this subscription, and counts the request.
    pub(crate) fn asked(&self, name: &str) -> Option<StatusCode> {
        self.with(|kept| {
            kept.asked += 1;
            let first = kept.first.remove(name);
            first.or_else(|| kept.answers.get(name).copied())
        })
    }

    pub(crate) fn take(&self, message: PushMessage) {
        self.with(|kept| kept.taken.push(message));
    }

    pub(crate) fn taken(&self) -> Vec<PushMessage> {
        self.with(|kept| kept.taken.clone())
    }

    pub(crate) fn requests(&self) -> u64 {
        self.with(|kept| kept.asked)
    }

    pub(crate) fn answer_with(&self, name: &str, status: Option<StatusCode>) {
        self.with(|kept| match status {
            Some(status) => kept.answers.insert(name.to_owned(), status),
            None => kept.answers.remove(name),
        });
    }

    pub(crate) fn answer_first_with(&self, name: &str, status: StatusCode) {
        self.with(|kept| kept.first.insert(name.to_owned(), status));
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
