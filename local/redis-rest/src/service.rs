//! Serves one HTTP request.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::body::Incoming;
use hyper::{HeaderMap, Method, StatusCode};

use crate::access::{Access, Tokens};
use crate::answer::{self, Answer};
use crate::command::Command;
use crate::executor::{Caller, Executor};
use crate::fault::{Fault, Faults};
use crate::format::Format;
use crate::malformed::Malformed;
use crate::permission;
use crate::redis::Reply;
use crate::request::Request;
use crate::request_body;
use crate::sync_token::SyncToken;

/// Upstash's error for an exhausted plan (<https://upstash.com/docs/redis/troubleshooting/max_daily_request_limit>).
const RATE_LIMITED: &str = "ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.";

/// Upstash's error for an exhausted month (<https://upstash.com/docs/redis/troubleshooting/max_requests_limit>).
pub(crate) const SPENT: &str = "ERR max requests limit exceeded. Limit: 500000, Usage: 500000.";

/// The header by which a client requires to read its own writes.
const SYNC_TOKEN: &str = "upstash-sync-token";

/// The connection must be closed without a response.
#[derive(Debug, thiserror::Error)]
#[error("the connection is refused on purpose")]
pub(crate) struct Refused;

/// The state that requests share.
pub(crate) struct Service {
    tokens: Tokens,
    executor: Executor,
    sync_token: SyncToken,
    faults: Faults,
    requests: AtomicU64,
}

impl Service {
    pub(crate) fn new(tokens: Tokens, executor: Executor) -> Self {
        Self {
            tokens,
            executor,
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
        answer
            .headers_mut()
            .insert(SYNC_TOKEN, self.sync_token.next());
        Ok(if fault == Some(Fault::CutAnswer) {
            answer::cut(answer)
        } else {
            answer
        })
    }

    /// Answers a request. The body is read before a rejection: a caller that is still sending would not get the
    /// response.
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
        if let Some(Fault::Spent(Some(status))) = fault {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            return Ok(answer::of_failure(status, SPENT));
        }
        let access = self.tokens.authorize(&head.headers, head.uri.query());
        let access = access
            .filter(|_| fault != Some(Fault::Unauthorized))
            .ok_or(Malformed::Token)?;
        let format = Format::parse(&head.headers)?;
        let request = Request::parse(&head.method, head.uri.path(), head.uri.query(), body?)?;
        let caller = Caller {
            access,
            fault,
            reads_own_writes: is_given(&head.headers, SYNC_TOKEN),
        };
        let answer = self.run(request, format, caller).await;
        Ok(answer.unwrap_or_else(|error| {
            tracing::warn!(%error, "redis-server did not answer; answered 503");
            answer::of_failure(
                StatusCode::SERVICE_UNAVAILABLE,
                "ERR the redis-server behind this front does not answer",
            )
        }))
    }

    async fn run(&self, request: Request, format: Format, caller: Caller) -> io::Result<Answer> {
        Ok(match request {
            Request::Welcome => answer::of_welcome(),
            Request::Command(command) => {
                let replies = self.executor.pipeline(vec![command], caller).await?;
                answer::of_command(replies.first().unwrap_or(&Reply::NullBulk), format)
            }
            Request::Pipeline(commands) => {
                answer::of_batch(&self.executor.pipeline(commands, caller).await?, format)
            }
            Request::Transaction(commands) => {
                let format = format.of_transaction();
                match self.executor.transaction(commands, caller).await? {
                    Ok(replies) => answer::of_batch(&replies, format),
                    Err(discarded) => answer::of_command(&discarded, format),
                }
            }
            Request::Subscribe(command) => answer::of_events(self.executor.stream(command).await?),
            Request::Monitor if caller.access == Access::Standard => {
                let monitor = Command::new("MONITOR", Vec::new());
                answer::of_events(self.executor.stream(monitor).await?)
            }
            Request::Monitor => {
                answer::of_command(&Reply::error(permission::denied("monitor")), format)
            }
        })
    }
}

/// Returns whether a header is present and not empty.
fn is_given(headers: &HeaderMap, name: &str) -> bool {
    headers.get(name).is_some_and(|value| !value.is_empty())
}
