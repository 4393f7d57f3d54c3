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
    /// A command that rests on the script call before it.
    Following(Command),
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

    /// Adds a command that rests on the script call right before it: if the store does not know the script and it is sent
    /// again in full, this command is sent again behind it. It may then run twice.
    #[must_use]
    pub fn following(mut self, command: Command) -> Self {
        self.items.push(Item::Following(command));
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
                Item::Command(command) | Item::Following(command) => command.clone(),
                Item::Script(invocation) => invocation.by_hash(),
            })
            .collect()
    }

    /// The script calls that the store did not know and what follows each, with their places.
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
