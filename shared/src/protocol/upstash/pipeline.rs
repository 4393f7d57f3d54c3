//! Several commands in one request.

use std::collections::VecDeque;

use super::command::Command;
use super::error::Error;
use super::reply::{FromReply, Reply};
use super::script::Invocation;

/// Commands and script calls in one request. They run in order. Commands of other clients may run between them, unless
/// the pipeline is sent as a transaction.
#[derive(Clone, Debug, Default)]
pub struct Pipeline {
    items: Vec<Item>,
}

#[derive(Clone, Debug)]
pub(super) enum Item {
    Command(Command),
    Script(Invocation),
    /// A command that depends on the script call before it.
    Following(Command),
}

impl Pipeline {
    /// Returns an empty pipeline.
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

    /// Adds a script call. If the store does not have the script, this item alone is sent again in full, and so runs
    /// after all others: later items must not depend on it.
    #[must_use]
    pub fn script(mut self, invocation: Invocation) -> Self {
        self.items.push(Item::Script(invocation));
        self
    }

    /// Adds a command that depends on the script call directly before it. If that call is sent again in full, this
    /// command is sent again after it. It may then run twice.
    #[must_use]
    pub fn following(mut self, command: Command) -> Self {
        self.items.push(Item::Following(command));
        self
    }

    /// Returns the pipeline with a script call in front.
    pub(super) fn behind(mut self, first: Invocation) -> Self {
        self.items.insert(0, Item::Script(first));
        self
    }

    pub(super) fn commands(&self) -> Vec<Command> {
        self.items
            .iter()
            .map(|item| match item {
                Item::Command(command) | Item::Following(command) => command.clone(),
                Item::Script(invocation) => invocation.by_hash(),
            })
            .collect()
    }

    /// Returns the script calls that the store does not have and the commands that depend on them, with their
    /// positions.
    pub(super) fn unknown_scripts(
        &self,
        answers: &[Result<Reply, Error>],
    ) -> (Vec<usize>, Vec<Command>) {
        let mut again = Vec::new();
        let mut was_unknown = false;
        for (place, (item, answer)) in self.items.iter().zip(answers).enumerate() {
            let is_unknown = matches!(answer, Err(error) if error.is_unknown_script());
            match item {
                Item::Script(invocation) if is_unknown => again.push((place, invocation.in_full())),
                Item::Following(command) if was_unknown => again.push((place, command.clone())),
                Item::Command(_) | Item::Script(_) | Item::Following(_) => {}
            }
            was_unknown = match item {
                Item::Following(_) => was_unknown,
                Item::Command(_) | Item::Script(_) => is_unknown,
            };
        }
        again.into_iter().unzip()
    }
}

/// The answers of a pipeline, taken in the order of its commands. A failed one does not affect the others.
#[derive(Debug)]
pub struct Replies(VecDeque<Result<Reply, Error>>);

impl Replies {
    pub(super) fn new(answers: Vec<Result<Reply, Error>>) -> Self {
        Self(answers.into())
    }

    /// Takes the next answer as `T`.
    pub fn take<T: FromReply>(&mut self) -> Result<T, Error> {
        let answer = self
            .0
            .pop_front()
            .unwrap_or_else(|| Err(Error::Decode("fewer answers than commands".into())));
        T::from_reply(answer?)
    }
}
