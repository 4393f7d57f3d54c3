//! Several commands in one request.

use std::collections::VecDeque;

use super::command::Command;
use super::error::Error;
use super::reply::{FromReply, Reply};
use super::script::Invocation;

/// Commands and script calls that share one round trip. They run in order; other clients' commands may run between
/// them, unless the pipeline is sent as a transaction.
#[derive(Clone, Debug, Default)]
pub struct Pipeline {
    items: Vec<Item>,
}

#[derive(Clone, Debug)]
pub(super) enum Item {
    Command(Command),
    Script(Invocation),
}

impl Pipeline {
    /// An empty pipeline.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a command.
    #[must_use]
    pub fn command(mut self, command: Command) -> Self {
        self.items.push(Item::Command(command));
        self
    }

    /// Adds a script call. If the store does not know the script, this item alone is sent again in full, and so runs
    /// after all others: what comes behind it in the pipeline must not rest on what it does.
    #[must_use]
    pub fn script(mut self, invocation: Invocation) -> Self {
        self.items.push(Item::Script(invocation));
        self
    }

    /// The same behind a script call that goes first.
    pub(super) fn behind(mut self, first: Invocation) -> Self {
        self.items.insert(0, Item::Script(first));
        self
    }

    pub(super) fn commands(&self) -> Vec<Command> {
        self.items
            .iter()
            .map(|item| match item {
                Item::Command(command) => command.clone(),
                Item::Script(invocation) => invocation.by_hash(),
            })
            .collect()
    }

    /// The script calls that the store did not know, with their places.
    pub(super) fn unknown_scripts(
        &self,
        answers: &[Result<Reply, Error>],
    ) -> (Vec<usize>, Vec<Command>) {
        self.items
            .iter()
            .zip(answers)
            .enumerate()
            .filter_map(|(place, pair)| match pair {
                (Item::Script(invocation), Err(error)) if error.is_unknown_script() => {
                    Some((place, invocation.in_full()))
                }
                _ => None,
            })
            .unzip()
    }
}

/// The answers of a pipeline, taken in the order of its commands. One that failed does not spoil the others.
#[derive(Debug)]
pub struct Replies(VecDeque<Result<Reply, Error>>);

impl Replies {
    pub(super) fn new(answers: Vec<Result<Reply, Error>>) -> Self {
        Self(answers.into())
    }

    /// The next answer, read as `T`.
    pub fn take<T: FromReply>(&mut self) -> Result<T, Error> {
        let answer = self
            .0
            .pop_front()
            .unwrap_or_else(|| Err(Error::Decode("fewer answers than commands".into())));
        T::from_reply(answer?)
    }
}
