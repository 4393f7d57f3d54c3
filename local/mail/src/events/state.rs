//! The state of events: the subscription, held events, attempts and the history.

use std::collections::VecDeque;

use super::event::Event;
use super::mail_event::{HistoryEntry, MailEvent};
use crate::clock;
use crate::mail::Provider;

/// The numbers of attempts, history entries and waiting events that are kept.
const MAX_ATTEMPTS: usize = 1000;
const MAX_HAPPENED: usize = 20_000;
const MAX_WAITING: usize = 20_000;

/// One attempt to send an event.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The event.
    pub event: Event,
    /// The status of the response; `None` without a response.
    pub status: Option<u16>,
}

/// The destination of events.
#[derive(Debug)]
pub(super) struct Subscription {
    url: String,
    token: String,
    pub(super) confirmed: bool,
}

/// The decision about an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Send it.
    Open,
    /// Hold it.
    Kept,
    /// Drop it: no address is subscribed.
    Closed,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) subscription: Option<Subscription>,
    pub(super) confirmations: u64,
    pub(super) held: bool,
    pub(super) waiting: VecDeque<Event>,
    pub(super) attempts: VecDeque<Attempt>,
    /// Mail ids with their events.
    history: VecDeque<(String, HistoryEntry)>,
}

impl Subscription {
    pub(super) fn new(url: &str, token: &str) -> Self {
        Self {
            url: url.to_owned(),
            token: token.to_owned(),
            confirmed: false,
        }
    }
}

impl State {
    pub(super) fn url(&self) -> Option<String> {
        self.subscription.as_ref().map(|it| it.url.clone())
    }

    pub(super) fn gate(&mut self, event: &Event) -> Gate {
        let Some(subscription) = &self.subscription else {
            return Gate::Closed;
        };
        let is_unasked = event.provider() == Provider::Ses && !subscription.confirmed;
        if !self.held && !is_unasked {
            return Gate::Open;
        }
        push(&mut self.waiting, event.clone(), MAX_WAITING);
        Gate::Kept
    }

    pub(super) fn confirm(&mut self, is_our_topic: bool, token: &str) -> bool {
        self.confirmations += 1;
        match &mut self.subscription {
            Some(subscription) if is_our_topic && subscription.token == token => {
                subscription.confirmed = true;
                true
            }
            _ => false,
        }
    }

    pub(super) fn attempted(&mut self, event: &Event, status: Option<u16>) {
        let attempt = Attempt {
            event: event.clone(),
            status,
        };
        push(&mut self.attempts, attempt, MAX_ATTEMPTS);
    }

    pub(super) fn remember(&mut self, mail_id: &str, mail_event: MailEvent, recipients: &[&str]) {
        let happened = HistoryEntry {
            what: mail_event.name(),
            recipients: recipients.iter().map(ToString::to_string).collect(),
            at: clock::now(),
        };
        push(
            &mut self.history,
            (mail_id.to_owned(), happened),
            MAX_HAPPENED,
        );
    }

    pub(super) fn history(&self, mail_id: &str) -> Vec<HistoryEntry> {
        let found = self.history.iter().filter(|(id, _)| id == mail_id);
        found.map(|(_, happened)| happened.clone()).collect()
    }
}

/// Adds at the end; removes the oldest beyond the limit.
fn push<T>(queue: &mut VecDeque<T>, item: T, limit: usize) {
    if queue.len() == limit {
        queue.pop_front();
    }
    queue.push_back(item);
}
