//! Who is told, what waits, what was sent and what happened.

use std::collections::VecDeque;

use super::event::Event;
use super::mail_event::{HistoryEntry, MailEvent};
use crate::clock;
use crate::mail::Provider;

/// How many attempts, happenings and waiting events are remembered.
const MAX_ATTEMPTS: usize = 1000;
const MAX_HAPPENED: usize = 20_000;
const MAX_WAITING: usize = 20_000;

/// One sending of an event.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The event.
    pub event: Event,
    /// The status of the answer; `None` when there was none.
    pub status: Option<u16>,
}

/// Where events go.
#[derive(Debug)]
pub(super) struct Subscription {
    url: String,
    token: String,
    pub(super) confirmed: bool,
}

/// What an event may do now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Go out.
    Open,
    /// Wait: it is kept until then.
    Kept,
    /// Nothing: nobody is to be told.
    Closed,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) subscription: Option<Subscription>,
    pub(super) confirmations: u64,
    pub(super) held: bool,
    pub(super) waiting: VecDeque<Event>,
    pub(super) attempts: VecDeque<Attempt>,
    /// The mail's id, and what happened to it.
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

/// Adds at the end; the oldest goes when there are too many.
fn push<T>(queue: &mut VecDeque<T>, item: T, limit: usize) {
    if queue.len() == limit {
        queue.pop_front();
    }
    queue.push_back(item);
}
