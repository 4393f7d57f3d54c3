//! One HTTP request from arrival to answer.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Method, StatusCode};

use crate::access::{Access, Tokens};
use crate::answer::{self, Answer};
use crate::catalogue::Catalogue;
use crate::command::Command;
use crate::fault::{Fault, Faults};
use crate::format::Format;
use crate::malformed::Malformed;
use crate::redis::{Pool, Reply};
use crate::request::Request;
use crate::request_body;
use crate::scripts::{Scripts, Translated};
use crate::stream;
use crate::sync_token::SyncToken;

/// What Upstash says when the plan is used up
/// (<https://upstash.com/docs/redis/troubleshooting/max_daily_request_limit>).
const RATE_LIMITED: &str = "ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.";
const LOADING: &str = "LOADING Redis is loading the dataset in memory";
const READ_ONLY: &str = "READONLY You can't write against a read only replica.";
const UNKNOWN_SCRIPT: Bytes = Bytes::from_static(b"0000000000000000000000000000000000000000");

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is refused on purpose")]
pub(crate) struct Refused;

/// Everything that requests share.
pub(crate) struct Service {
    redis: Pool,
    catalogue: Catalogue,
    tokens: Tokens,
    scripts: Scripts,
    sync_token: SyncToken,
    faults: Faults,
    requests: AtomicU64,
}

/// Who asks, and under which fault.
#[derive(Clone, Copy)]
struct Caller {
    access: Access,
    fault: Option<Fault>,
}

/// A command's way: answered here, or at Redis.
enum Step {
    Answered(Reply),
    Sent(Translated),
}

impl Service {
    pub(crate) fn new(redis: Pool, catalogue: Catalogue, tokens: Tokens) -> Self {
        Self {
            redis,
            catalogue,
            tokens,
            scripts: Scripts::default(),
            sync_token: SyncToken::default(),
            faults: Faults::default(),
            requests: AtomicU64::new(0),
        }
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Answers the request, unless a fault closes the connection instead.
    pub(crate) async fn serve(&self, request: hyper::Request<Incoming>) -> Result<Answer, Refused> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let fault = self.faults.take();
        match fault {
            Some(Fault::Refused) => return Err(Refused),
            Some(Fault::Slow(delay)) => tokio::time::sleep(delay).await,
            _ => {}
        }
        let answer = self.answer(request, fault).await;
        let mut answer = answer.unwrap_or_else(|malformed| answer::of_malformed(&malformed));
        if let Ok(token) = HeaderValue::try_from(self.sync_token.current()) {
            answer.headers_mut().insert("upstash-sync-token", token);
        }
        Ok(if fault == Some(Fault::CutAnswer) {
            answer::cut(answer)
        } else {
            answer
        })
    }

    /// The body is read before anything is refused: a caller that is still sending would not see the answer.
    async fn answer(
        &self,
        request: hyper::Request<Incoming>,
        fault: Option<Fault>,
    ) -> Result<Answer, Malformed> {
        let (head, body) = request.into_parts();
        let body = request_body::read(body).await;
        if ![Method::HEAD, Method::GET, Method::POST, Method::PUT].contains(&head.method) {
            return Err(Malformed::Method);
        }
        if fault == Some(Fault::RateLimited) {
            return Ok(answer::of_failure(
                StatusCode::TOO_MANY_REQUESTS,
                RATE_LIMITED,
            ));
        }
        let access = self.tokens.authorize(&head.headers, head.uri.query());
        let access = access
            .filter(|_| fault != Some(Fault::Unauthorized))
            .ok_or(Malformed::Token)?;
        let format = Format::parse(&head.headers)?;
        let request = Request::parse(&head.method, head.uri.path(), head.uri.query(), body?)?;
        let answer = self.run(request, format, Caller { access, fault }).await;
        Ok(answer.unwrap_or_else(|error| {
            tracing::warn!(%error, "redis did not answer");
            answer::of_failure(
                StatusCode::SERVICE_UNAVAILABLE,
                "ERR the redis-server behind this front does not answer",
            )
        }))
    }

    async fn run(&self, request: Request, format: Format, caller: Caller) -> io::Result<Answer> {
        match request {
            Request::Welcome => Ok(answer::of_welcome()),
            Request::Command(command) => {
                let replies = self.pipeline(vec![command], caller).await?;
                Ok(answer::of_command(
                    replies.first().unwrap_or(&Reply::NullBulk),
                    format,
                ))
            }
            Request::Pipeline(commands) => Ok(answer::of_batch(
                &self.pipeline(commands, caller).await?,
                format,
            )),
            Request::Transaction(commands) => {
                Ok(match self.transaction(commands, caller).await? {
                    Ok(replies) => answer::of_batch(&replies, format.of_transaction()),
                    Err(discarded) => answer::of_command(&discarded, format.of_transaction()),
                })
            }
            Request::Subscribe(command) => self.stream(command).await,
            Request::Monitor if caller.access == Access::Standard => {
                self.stream(Command::new("MONITOR", Vec::new())).await
            }
            Request::Monitor => Ok(answer::of_failure(
                StatusCode::BAD_REQUEST,
                "NOPERM this user has no permissions to run the 'monitor' command or its subcommand",
            )),
        }
    }

    /// Runs the commands in their order. One that may not run is answered in its place; the rest run all the same.
    async fn pipeline(&self, commands: Vec<Command>, caller: Caller) -> io::Result<Vec<Reply>> {
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
    async fn transaction(
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

    async fn stream(&self, command: Command) -> io::Result<Answer> {
        let connection = self.redis.dedicated().await?;
        Ok(answer::of_events(
            stream::events(connection, command).await?,
        ))
    }

    fn step(&self, command: Command, caller: Caller) -> Step {
        if let Some(refusal) = crate::permission::refusal(&command, caller.access, &self.catalogue)
        {
            return Step::Answered(Reply::error(refusal));
        }
        let reads = self
            .catalogue
            .traits(&command)
            .is_some_and(|traits| traits.reads);
        match caller.fault {
            Some(Fault::Loading) => return Step::Answered(Reply::error(LOADING)),
            Some(Fault::ReadOnly) if !reads && !is_harmless_on_replica(&command) => {
                return Step::Answered(Reply::error(READ_ONLY));
            }
            _ => {}
        }
        if !reads {
            self.sync_token.advance();
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

/// What neither reads nor writes data and works on a replica.
fn is_harmless_on_replica(command: &Command) -> bool {
    [
        "ping", "echo", "time", "info", "command", "publish", "script",
    ]
    .contains(&command.name().as_str())
}
