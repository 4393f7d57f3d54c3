//! Runs commands on one connection. Scripts run as separate users and are timed.

use std::io;
use std::pin::pin;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::catalogue::Catalogue;
use crate::command::Command;
use crate::limits::Limits;
use crate::record_size::RecordSizes;
use crate::redis::{Connection, Pool, Reply};
use crate::script_time::ScriptTime;
use crate::script_users::ScriptUsers;
use crate::step::Sent;

/// Upstash's error for a full disk (<https://upstash.com/docs/redis/troubleshooting/db_capacity_quota_exceeded>).
const FULL: &str = "ERR DB capacity quota exceeded";

/// The time before an endless script is killed. It is a little longer than redis-server's own five seconds, before
/// which no script can be killed. It is wall-clock time, in which the machine may be busy otherwise.
const KILL_AFTER: Duration = Duration::from_millis(5200);

/// Returns whether a command runs a script or a function.
pub(crate) fn is_script(command: &Command) -> bool {
    let name = command.name();
    [
        "eval",
        "eval_ro",
        "evalsha",
        "evalsha_ro",
        "fcall",
        "fcall_ro",
    ]
    .contains(&name.as_str())
}

/// The limits and translations of scripts.
pub(crate) struct ScriptRunner {
    time: ScriptTime,
}

/// The context of a request's commands.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    /// Whether they run as a transaction.
    pub(crate) is_transaction: bool,
    /// Whether the disk is simulated as full.
    pub(crate) is_full: bool,
}

/// A reply for each command, or why none of them ran.
type Outcome = Result<Vec<Reply>, Reply>;

impl ScriptRunner {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            time: ScriptTime::new(limits.script_time, limits.script_time_per_minute),
        }
    }

    /// Returns why no script may run now.
    pub(crate) fn refusal(&self) -> Option<String> {
        self.time.refusal()
    }

    /// Runs the commands in order.
    pub(crate) async fn run(
        &self,
        redis: &Pool,
        catalogue: &Catalogue,
        sent: &[&Sent],
        frame: Frame,
    ) -> io::Result<Outcome> {
        let mut lent = redis.lend().await?;
        let connection = &mut lent.connection;
        let outcome = if sent.iter().any(|sent| is_script(&sent.command)) {
            match users(connection, catalogue).await? {
                Ok(users) => self.scripts(redis, connection, &users, sent, frame).await?,
                Err(refusal) => Err(refusal),
            }
        } else {
            let commands = frame.around(sent, None);
            frame.within(connection.exchange(&commands).await?)
        };
        redis.keep(lent);
        Ok(outcome.map(|replies| replies.into_iter().map(translated).collect()))
    }

    /// Runs commands that include scripts, and checks the scripts' run times.
    async fn scripts(
        &self,
        redis: &Pool,
        connection: &mut Connection,
        users: &ScriptUsers,
        sent: &[&Sent],
        frame: Frame,
    ) -> io::Result<Outcome> {
        self.time.begin(connection).await?;
        let started = Instant::now();
        let commands = frame.around(sent, Some(users));
        let replies = killing(redis, connection.exchange(&commands)).await?;
        let replies = match frame.within(replies) {
            Ok(replies) => replies,
            discarded => return Ok(discarded),
        };
        let late = self.time.end(connection, started, sent).await?;
        let mut replies = replies.into_iter();
        let mut answers = Vec::with_capacity(sent.len());
        for (sent, late) in sent.iter().zip(late) {
            if !is_script(&sent.command) {
                answers.push(next(&mut replies));
                continue;
            }
            let reply = unframed(sent, &mut replies);
            let killed = is_killed(&reply).then(|| self.time.error(started.elapsed()));
            let explained = users.explain(&reply, connection).await?;
            let late = late.or(killed).map(Reply::error);
            answers.push(late.or(explained).unwrap_or(reply));
        }
        Ok(Ok(answers))
    }
}

/// Returns the users of a connection, created if missing.
async fn users(
    connection: &mut Connection,
    catalogue: &Catalogue,
) -> io::Result<Result<ScriptUsers, Reply>> {
    if let Some(users) = &connection.script_users {
        return Ok(Ok(users.clone()));
    }
    let users = ScriptUsers::new();
    let made = connection.exchange(&users.create(catalogue)).await?;
    if let Some(refusal) = made.into_iter().find(is_error) {
        return Ok(Err(refusal));
    }
    connection.script_users = Some(users.clone());
    Ok(Ok(users))
}

impl Frame {
    /// Returns the commands to send: each script between the commands that switch its user, and all within the frame.
    fn around(self, sent: &[&Sent], users: Option<&ScriptUsers>) -> Vec<Command> {
        let mut commands = Vec::with_capacity(sent.len() + 4);
        commands.extend(self.is_full.then(|| config("maxmemory", "1")));
        commands.extend(
            self.is_transaction
                .then(|| Command::new("MULTI", Vec::new())),
        );
        for sent in sent {
            let command = sent.command.clone();
            match users.filter(|_| is_script(&command)) {
                None => commands.push(command),
                Some(users) => {
                    let keys = sent.is_locked.then(|| command.counted_keys(1));
                    commands.extend(keys.map(|keys| users.lock_to(&keys)));
                    commands.push(users.become_script(sent.is_locked));
                    commands.push(command);
                    commands.push(ScriptUsers::become_default());
                }
            }
        }
        commands.extend(
            self.is_transaction
                .then(|| Command::new("EXEC", Vec::new())),
        );
        commands.extend(self.is_full.then(|| config("maxmemory", "0")));
        commands
    }

    /// Returns the replies within the frame. For a discarded transaction, returns the reply to the first command that
    /// could not be queued, which is more specific than EXECABORT.
    fn within(self, mut replies: Vec<Reply>) -> Outcome {
        if self.is_full {
            replies.pop();
            replies.remove(0);
        }
        if !self.is_transaction {
            return Ok(replies);
        }
        match replies.pop() {
            Some(Reply::Array(committed)) => Ok(committed),
            last => Err(replies
                .into_iter()
                .find(is_error)
                .or(last)
                .unwrap_or(Reply::NullArray)),
        }
    }
}

/// Returns the reply of a script from within its frame.
fn unframed(sent: &Sent, replies: &mut impl Iterator<Item = Reply>) -> Reply {
    let locked = sent.is_locked.then(|| next(replies));
    let [user, reply, _] = std::array::from_fn(|_| next(replies));
    // A script that did not run as its own user may have touched any key.
    let refused = locked.into_iter().chain([user]).find(is_error);
    refused.unwrap_or(reply)
}

/// Waits for an exchange, and kills its scripts if it does not end.
async fn killing<T>(redis: &Pool, exchange: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let mut exchange = pin!(exchange);
    loop {
        tokio::select! {
            result = &mut exchange => return result,
            () = tokio::time::sleep(KILL_AFTER) => {}
        }
        // If no script can be killed, the exchange ends by itself.
        let kill = async {
            let words = vec![Bytes::from_static(b"KILL")];
            let kills = ["SCRIPT", "FUNCTION"].map(|name| Command::new(name, words.clone()));
            redis.dedicated().await?.exchange(&kills).await
        };
        tokio::select! {
            result = &mut exchange => return result,
            killed = kill => tracing::debug!(?killed, "script over its time limit; killed"),
        }
    }
}

fn is_error(reply: &Reply) -> bool {
    matches!(reply, Reply::Error(_))
}

fn is_killed(reply: &Reply) -> bool {
    matches!(reply, Reply::Error(line) if String::from_utf8_lossy(line).contains("killed by user"))
}

/// Replaces redis-server's error by Upstash's.
fn translated(reply: Reply) -> Reply {
    match reply {
        Reply::Error(line) if line.starts_with(b"OOM ") => Reply::error(FULL),
        reply => RecordSizes::translate(reply),
    }
}

fn next(replies: &mut impl Iterator<Item = Reply>) -> Reply {
    replies
        .next()
        .unwrap_or_else(|| Reply::error("ERR redis sent too few replies"))
}

fn config(name: &'static str, value: &'static str) -> Command {
    let words = ["SET", name, value].map(|word| Bytes::from_static(word.as_bytes()));
    Command::new("CONFIG", words.to_vec())
}
