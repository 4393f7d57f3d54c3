//! Runs commands at Redis: rejects forbidden commands, translates scripts, and simulates faults of Redis itself.

use std::io;

use bytes::Bytes;
use futures_util::Stream;

use crate::access::Access;
use crate::catalogue::Catalogue;
use crate::command::Command;
use crate::fault::Fault;
use crate::limits::Limits;
use crate::permission;
use crate::record_size::RecordSizes;
use crate::redis::{Pool, Reply};
use crate::replica::Replica;
use crate::script_runner::{self, Frame, ScriptRunner};
use crate::scripts::Scripts;
use crate::server_group::{self, Ruling};
use crate::step::{Sent, Step};
use crate::stream;

const LOADING: &str = "LOADING Redis is loading the dataset in memory";
const READ_ONLY: &str = "READONLY You can't write against a read only replica.";
const UNKNOWN_SCRIPT: Bytes = Bytes::from_static(b"0000000000000000000000000000000000000000");

/// Commands that neither read nor write data, so they work on a replica.
const WITHOUT_DATA: &[&str] = &[
    "command", "echo", "info", "ping", "publish", "script", "time",
];

/// The connection to Redis.
pub(crate) struct Executor {
    redis: Pool,
    replica: Option<Replica>,
    catalogue: Catalogue,
    limits: Limits,
    runner: ScriptRunner,
    sizes: RecordSizes,
    scripts: Scripts,
}

/// The caller's rights and fault.
#[derive(Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) access: Access,
    pub(crate) fault: Option<Fault>,
    /// Whether the caller requires its own writes.
    pub(crate) reads_own_writes: bool,
}

impl Executor {
    /// Connects, reads the commands of this Redis, and sets its limits.
    pub(crate) async fn open(
        redis: Pool,
        replica: Option<Replica>,
        limits: Limits,
    ) -> io::Result<Self> {
        let catalogue = Catalogue::load(&redis).await?;
        let sizes = RecordSizes::new(limits.record_bytes);
        redis.exchange(&[sizes.setting()]).await?;
        Ok(Self {
            redis,
            replica,
            runner: ScriptRunner::new(&limits),
            catalogue,
            limits,
            sizes,
            scripts: Scripts::default(),
        })
    }

    /// Runs the commands in order. A forbidden one gets an error in its position; the others run.
    pub(crate) async fn pipeline(
        &self,
        commands: Vec<Command>,
        caller: Caller,
    ) -> io::Result<Vec<Reply>> {
        let mut steps = Vec::with_capacity(commands.len());
        for command in commands {
            steps.push(self.step(command, caller).await?);
        }
        let replies = self.run(&steps, false, caller).await?;
        let refused = steps.iter().filter_map(Step::sent).count();
        let replies = replies.unwrap_or_else(|refusal| vec![refusal; refused]);
        let mut replies = replies.into_iter();
        let mut answers = Vec::with_capacity(steps.len());
        let mut stale = match &self.replica {
            Some(replica) => replica.read(&steps).await?,
            None => Vec::new(),
        }
        .into_iter();
        for step in steps {
            answers.push(match step {
                Step::Answered(reply) => reply,
                Step::Stale(_) => or_too_few(stale.next()),
                Step::Sent(sent) => sent.answer(or_too_few(replies.next())),
            });
        }
        Ok(answers)
    }

    /// Runs all of the commands. Otherwise runs none and returns the reason.
    pub(crate) async fn transaction(
        &self,
        commands: Vec<Command>,
        caller: Caller,
    ) -> io::Result<Result<Vec<Reply>, Reply>> {
        let caller = Caller {
            reads_own_writes: true,
            ..caller
        };
        let mut steps = Vec::with_capacity(commands.len());
        for command in commands {
            match self.step(command, caller).await? {
                Step::Answered(refusal) => return Ok(Err(refusal)),
                sent => steps.push(sent),
            }
        }
        let replies = match self.run(&steps, true, caller).await? {
            Ok(replies) => replies,
            Err(discarded) => return Ok(Err(discarded)),
        };
        let answered = steps.into_iter().zip(replies);
        let answered = answered.map(|(step, reply)| match step {
            Step::Sent(sent) => sent.answer(reply),
            Step::Answered(_) | Step::Stale(_) => reply,
        });
        Ok(Ok(answered.collect()))
    }

    /// Gives the command its own connection, and returns its pushes as events.
    pub(crate) async fn stream(
        &self,
        command: Command,
    ) -> io::Result<impl Stream<Item = Bytes> + Send + use<>> {
        stream::events(self.redis.dedicated().await?, command).await
    }

    /// Sends the commands on one connection.
    async fn run(
        &self,
        steps: &[Step],
        is_transaction: bool,
        caller: Caller,
    ) -> io::Result<Result<Vec<Reply>, Reply>> {
        let sent: Vec<&Sent> = steps.iter().filter_map(Step::sent).collect();
        if sent.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let frame = Frame {
            is_transaction,
            is_full: caller.fault == Some(Fault::Full),
        };
        let (redis, catalogue) = (&self.redis, &self.catalogue);
        self.runner.run(redis, catalogue, &sent, frame).await
    }

    async fn step(&self, command: Command, caller: Caller) -> io::Result<Step> {
        if let Some(refusal) = self.refusal(&command, caller).await? {
            return Ok(Step::Answered(Reply::error(refusal)));
        }
        let command = match server_group::ruling(command) {
            Ok(Ruling::Answered(reply)) => return Ok(Step::Answered(reply)),
            Ok(Ruling::Runs(command)) | Err(command) => command,
        };
        let reads = self.reads(&command);
        match caller.fault {
            Some(Fault::Loading) => return Ok(Step::Answered(Reply::error(LOADING))),
            Some(Fault::ReadOnly) if !reads && !WITHOUT_DATA.contains(&command.name().as_str()) => {
                return Ok(Step::Answered(Reply::error(READ_ONLY)));
            }
            _ => {}
        }
        if reads && self.replica.is_some() && !caller.reads_own_writes {
            return Ok(Step::Stale(command));
        }
        let mut sent = self.scripts.translate(command);
        if caller.fault == Some(Fault::NoScript) && sent.command.name().starts_with("evalsha") {
            sent.command = sent.command.with_argument(0, UNKNOWN_SCRIPT);
        }
        Ok(Step::Sent(sent))
    }

    /// Returns why a command may not run now.
    async fn refusal(&self, command: &Command, caller: Caller) -> io::Result<Option<String>> {
        if let Some(refusal) = permission::refusal(command, caller.access, &self.catalogue) {
            return Ok(Some(refusal));
        }
        if let Some(Fault::Spent(None)) = caller.fault {
            return Ok(Some(crate::service::SPENT.to_owned()));
        }
        let keys = self.catalogue.keys(command);
        let limit = self.limits.key_bytes;
        if let Some(key) = keys.iter().find(|key| key.len() > limit) {
            return Ok(Some(format!(
                "ERR max key size exceeded. Limit: {limit} bytes, Actual: {} bytes",
                key.len()
            )));
        }
        let is_script = script_runner::is_script(command);
        if is_script && let Some(refusal) = self.runner.refusal() {
            return Ok(Some(refusal));
        }
        let traits = self.catalogue.traits(command).unwrap_or_default();
        if traits.grows || is_script {
            return self.sizes.refusal(&keys, command.size(), &self.redis).await;
        }
        Ok(None)
    }

    /// Returns whether any replica may answer a command. Scripts may not, even those that only read.
    fn reads(&self, command: &Command) -> bool {
        let traits = self.catalogue.traits(command).unwrap_or_default();
        traits.reads && !script_runner::is_script(command)
    }
}

fn or_too_few(reply: Option<Reply>) -> Reply {
    reply.unwrap_or_else(|| Reply::error("ERR redis sent too few replies"))
}
