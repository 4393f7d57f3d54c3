//! Runs commands at Redis: refuses what may not run, translates scripts, plays the faults that Redis itself would have.

use std::io;

use bytes::Bytes;
use futures_util::Stream;

use crate::access::Access;
use crate::catalogue::Catalogue;
use crate::command::Command;
use crate::fault::Fault;
use crate::permission;
use crate::redis::{Pool, Reply};
use crate::scripts::{Scripts, Translated};
use crate::stream;

const LOADING: &str = "LOADING Redis is loading the dataset in memory";
const READ_ONLY: &str = "READONLY You can't write against a read only replica.";
const UNKNOWN_SCRIPT: Bytes = Bytes::from_static(b"0000000000000000000000000000000000000000");

/// Commands that neither read nor write data, and so work on a replica.
const WITHOUT_DATA: &[&str] = &[
    "command", "echo", "info", "ping", "publish", "script", "time",
];

/// The way to Redis.
pub(crate) struct Executor {
    redis: Pool,
    catalogue: Catalogue,
    scripts: Scripts,
}

/// Who asks, and under which fault.
#[derive(Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) access: Access,
    pub(crate) fault: Option<Fault>,
}

/// A command's way: answered here, or at Redis.
enum Step {
    Answered(Reply),
    Sent(Translated),
}

impl Executor {
    /// Connects, and learns which commands this Redis has.
    pub(crate) async fn open(redis: Pool) -> io::Result<Self> {
        let catalogue = Catalogue::load(&redis).await?;
        Ok(Self {
            redis,
            catalogue,
            scripts: Scripts::default(),
        })
    }

    /// Runs the commands in their order. One that may not run is answered in its place; the rest run all the same.
    pub(crate) async fn pipeline(
        &self,
        commands: Vec<Command>,
        caller: Caller,
    ) -> io::Result<Vec<Reply>> {
        let steps: Vec<Step> = commands
            .into_iter()
            .map(|command| self.step(command, caller))
            .collect();
        let sent: Vec<Command> = steps.iter().filter_map(Step::command).cloned().collect();
        let mut replies = if sent.is_empty() {
            Vec::new()
        } else {
            self.redis.exchange(&sent).await?
        }
        .into_iter();
        Ok(steps
            .into_iter()
            .map(|step| step.finish(&mut replies))
            .collect())
    }

    /// Runs all of the commands or, with the reason, none.
    pub(crate) async fn transaction(
        &self,
        commands: Vec<Command>,
        caller: Caller,
    ) -> io::Result<Result<Vec<Reply>, Reply>> {
        let mut steps = Vec::with_capacity(commands.len());
        for command in commands {
            match self.step(command, caller) {
                Step::Answered(refusal) => return Ok(Err(refusal)),
                sent @ Step::Sent(_) => steps.push(sent),
            }
        }
        let mut sent = vec![Command::new("MULTI", Vec::new())];
        sent.extend(steps.iter().filter_map(Step::command).cloned());
        sent.push(Command::new("EXEC", Vec::new()));
        let mut queued = self.redis.exchange(&sent).await?;
        Ok(match queued.pop() {
            Some(Reply::Array(replies)) => {
                let mut replies = replies.into_iter();
                Ok(steps
                    .into_iter()
                    .map(|step| step.finish(&mut replies))
                    .collect())
            }
            // The first command that could not be queued says more than EXECABORT does.
            last => Err(queued
                .into_iter()
                .find(is_error)
                .or(last)
                .unwrap_or(Reply::NullArray)),
        })
    }

    /// Gives the command a connection of its own, and its pushes as events.
    pub(crate) async fn stream(
        &self,
        command: Command,
    ) -> io::Result<impl Stream<Item = Bytes> + Send + use<>> {
        stream::events(self.redis.dedicated().await?, command).await
    }

    fn step(&self, command: Command, caller: Caller) -> Step {
        if let Some(refusal) = permission::refusal(&command, caller.access, &self.catalogue) {
            return Step::Answered(Reply::error(refusal));
        }
        let reads = self
            .catalogue
            .traits(&command)
            .is_some_and(|traits| traits.reads);
        match caller.fault {
            Some(Fault::Loading) => return Step::Answered(Reply::error(LOADING)),
            Some(Fault::ReadOnly) if !reads && !WITHOUT_DATA.contains(&command.name().as_str()) => {
                return Step::Answered(Reply::error(READ_ONLY));
            }
            _ => {}
        }
        let mut translated = self.scripts.translate(command);
        if caller.fault == Some(Fault::NoScript) && translated.command.name().starts_with("evalsha")
        {
            translated.command = translated.command.with_argument(0, UNKNOWN_SCRIPT);
        }
        Step::Sent(translated)
    }
}

impl Step {
    fn command(&self) -> Option<&Command> {
        match self {
            Self::Answered(_) => None,
            Self::Sent(translated) => Some(&translated.command),
        }
    }

    /// The step's reply: its own, or the next of those that came from Redis.
    fn finish(self, replies: &mut impl Iterator<Item = Reply>) -> Reply {
        match self {
            Self::Answered(reply) => reply,
            Self::Sent(Translated { answer, .. }) => match (replies.next(), answer) {
                (Some(Reply::Bulk(_)), Some(answer)) => Reply::Bulk(answer),
                (Some(reply), _) => reply,
                (None, _) => Reply::error("ERR redis sent too few replies"),
            },
        }
    }
}

fn is_error(reply: &Reply) -> bool {
    matches!(reply, Reply::Error(_))
}
