//! The calls that wait for an instance, oldest first. A caller that stops waiting withdraws its call.

use std::collections::VecDeque;

use super::invocation::Invocation;

/// Waiting calls. The queue has no bound of its own: each call is withdrawn at its caller's timeout.
#[derive(Default)]
pub(crate) struct Queue(VecDeque<Invocation>);

impl Queue {
    /// Adds a call at the end.
    pub(crate) fn push(&mut self, invocation: Invocation) {
        self.0.push_back(invocation);
    }

    /// Returns the oldest call whose caller still waits.
    pub(crate) fn pop(&mut self) -> Option<Invocation> {
        std::iter::from_fn(|| self.0.pop_front()).find(|invocation| !invocation.is_abandoned())
    }

    /// Returns the number of callers that still wait, and drops the calls of the others.
    pub(crate) fn waiting(&mut self) -> usize {
        self.0.retain(|invocation| !invocation.is_abandoned());
        self.0.len()
    }

    /// Returns all calls and empties the queue.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Invocation> {
        self.0.drain(..)
    }
}
