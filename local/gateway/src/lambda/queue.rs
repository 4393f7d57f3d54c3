//! The calls that wait for an instance, oldest first. A caller that has given up has taken its call back.

use std::collections::VecDeque;

use super::invocation::Invocation;

/// Waiting calls. Not bounded by itself: each is taken back when its caller's time is over.
#[derive(Default)]
pub(crate) struct Queue(VecDeque<Invocation>);

impl Queue {
    /// Adds a call at the end.
    pub(crate) fn push(&mut self, invocation: Invocation) {
        self.0.push_back(invocation);
    }

    /// The oldest call whose caller still waits.
    pub(crate) fn pop(&mut self) -> Option<Invocation> {
        std::iter::from_fn(|| self.0.pop_front()).find(|invocation| !invocation.is_abandoned())
    }

    /// How many callers still wait; the others' calls are dropped.
    pub(crate) fn waiting(&mut self) -> usize {
        self.0.retain(|invocation| !invocation.is_abandoned());
        self.0.len()
    }

    /// All calls, leaving none.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Invocation> {
        self.0.drain(..)
    }
}
