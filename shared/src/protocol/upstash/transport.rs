//! One request and its answer, repeated if that is safe.

use std::time::Duration;

use ::http::{HeaderValue, StatusCode, header};
use bytes::Bytes;
use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;

use super::command::{BinaryCommand, Command};
use super::error::Error;
use super::reply::{Answer, Reply};
use super::script::Invocation;
use super::usage::Usage;
use crate::base::causes::causes;
use crate::base::secret::Secret;
use crate::protocol::http;

/// The waits before the second and the third attempt. They are short, because a caller is waiting, and a longer outage
/// is better reported than waited for.
const PAUSES: [Duration; 2] = [Duration::from_millis(30), Duration::from_millis(150)];

#[derive(Clone, Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
    base: String,
    authorization: HeaderValue,
    usage: Usage,
}

impl Transport {
    pub(super) fn new(http: reqwest::Client, url: &url::Url, token: &Secret) -> Self {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
        authorization.set_sensitive(true);
        Self {
            http,
            base: url.as_str().trim_end_matches('/').to_owned(),
            authorization,
            usage: Usage::default(),
        }
    }

    pub(super) fn usage(&self) -> &Usage {
        &self.usage
    }

    pub(super) async fn single(&self, command: &Command) -> Result<Reply, Error> {
        let (reply, doubt) = self.ask(command).await;
        doubt.over(reply)
    }

    /// Runs a script by its hash, and by its full text if the store does not have it.
    pub(super) async fn script(&self, call: &Invocation) -> Result<Reply, Error> {
        let (reply, doubt) = self.ask(&call.by_hash()).await;
        match reply {
            Err(error) if error.is_unknown_script() => {
                let (reply, later) = self.ask(&call.in_full()).await;
                doubt.or(later).over(reply)
            }
            reply => doubt.over(reply),
        }
    }

    /// Returns the answer to a command, and whether an earlier attempt may have run it.
    async fn ask(&self, command: &Command) -> (Result<Reply, Error>, Doubt) {
        let body = match json(command) {
            Ok(body) => body,
            Err(error) => return (Err(error), Doubt::default()),
        };
        let request = Request {
            path: "/",
            body,
            commands: 1,
            repeatable: command.is_repeatable(),
        };
        let (answer, doubt) = self.answer::<Answer>(request).await;
        (answer.and_then(|answer| answer.0), doubt)
    }

    pub(super) async fn binary(&self, command: &BinaryCommand) -> Result<Reply, Error> {
        if let Some(text) = command.as_text() {
            return self.single(&text).await;
        }
        let request = Request {
            path: &command.command.path()?,
            body: command.last.clone(),
            commands: 1,
            repeatable: command.command.is_repeatable(),
        };
        let (answer, doubt) = self.answer::<Answer>(request).await;
        doubt.over(answer.and_then(|answer| answer.0))
    }

    /// Returns the answers to several commands. If an earlier attempt may have run them, a rejection of one says so,
    /// unless the store does not have its script: the caller sends that one again.
    pub(super) async fn many(&self, path: &str, commands: &[Command]) -> Result<Answers, Error> {
        let request = Request {
            path,
            body: json(&commands)?,
            commands: commands.len(),
            repeatable: commands.iter().all(Command::is_repeatable),
        };
        let (answers, doubt) = self.answer::<Vec<Answer>>(request).await;
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => return doubt.over(Err(error)),
        };
        if answers.len() != commands.len() {
            let (got, wanted) = (answers.len(), commands.len());
            return Err(Error::Decode(format!("{got} answers to {wanted} commands")));
        }
        let settled = |answer: Answer| match answer.0 {
            Err(error) if error.is_unknown_script() => Err(error),
            reply => doubt.over(reply),
        };
        Ok(Answers {
            replies: answers.into_iter().map(settled).collect(),
            doubt,
        })
    }

    /// Sends a request that is not repeated and whose body the caller reads: a subscription.
    pub(super) async fn stream(&self, path: &str) -> Result<Response, Error> {
        let request = self
            .post(path)
            .header(header::ACCEPT, "text/event-stream")
            .timeout(Duration::from_mins(15));
        let response = self.send(request, 1).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        Err(refusal(status, &response.bytes().await?))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.http
            .post(format!("{}{path}", self.base))
            .header(header::AUTHORIZATION, self.authorization.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("upstash-encoding", "base64")
    }

    async fn send(&self, request: RequestBuilder, commands: usize) -> Result<Response, Error> {
        self.usage.add(commands);
        let response = request.send().await?;
        if response.status().is_success() || response.status() == StatusCode::BAD_REQUEST {
            return Ok(response);
        }
        let retry_after = http::retry_after(response.headers());
        let (status, body) = (response.status(), response.bytes().await?);
        if let Some(spent) = quota(&body) {
            return Err(spent);
        }
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Error::Unauthorized),
            StatusCode::TOO_MANY_REQUESTS => Err(Error::RateLimited { retry_after }),
            status if status.is_server_error() => Err(Error::Transport {
                sent: true,
                source: None,
            }),
            status => Err(refusal(status, &body)),
        }
    }

    /// Makes up to three attempts. Another one follows only after a lost answer, and only if the command is repeatable
    /// or certainly did not run.
    async fn answer<T: DeserializeOwned>(&self, request: Request<'_>) -> (Result<T, Error>, Doubt) {
        let mut doubt = Doubt::default();
        for pause in PAUSES {
            match self.attempt(&request).await {
                Err(error) if error.was_cut() && (request.repeatable || error.never_ran()) => {
                    doubt = doubt.or(Doubt(error.is_ambiguous()));
                    tokio::time::sleep(pause).await;
                }
                outcome => return (outcome, doubt),
            }
        }
        (self.attempt(&request).await, doubt)
    }

    async fn attempt<T: DeserializeOwned>(&self, request: &Request<'_>) -> Result<T, Error> {
        let outgoing = self.post(request.path).body(request.body.clone());
        let response = self.send(outgoing, request.commands).await?;
        let status = response.status();
        read(status, &response.bytes().await?)
    }
}

/// Whether an earlier attempt may have run although its answer was lost.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Doubt(bool);

impl Doubt {
    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 || other.0)
    }

    /// Returns the outcome of the last attempt. A plain rejection must not hide that an earlier attempt may have run.
    pub(super) fn over<T>(self, last: Result<T, Error>) -> Result<T, Error> {
        last.map_err(|error| {
            if self.0 && !error.is_ambiguous() {
                tracing::warn!(
                    error = causes(&error),
                    "Redis rejected a repeated call; the first attempt may have run"
                );
                return Error::Transport {
                    sent: true,
                    source: None,
                };
            }
            error
        })
    }
}

/// The answers to several commands, in order.
pub(super) struct Answers {
    pub(super) replies: Vec<Result<Reply, Error>>,
    pub(super) doubt: Doubt,
}

/// A request before it is sent.
struct Request<'a> {
    path: &'a str,
    body: Bytes,
    commands: usize,
    repeatable: bool,
}

fn json(value: &impl serde::Serialize) -> Result<Bytes, Error> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|error| Error::Decode(error.to_string()))
}

/// Parses an answer of the expected shape; if the whole request was rejected, returns the error.
fn read<T: DeserializeOwned>(status: StatusCode, body: &[u8]) -> Result<T, Error> {
    if !status.is_success() {
        return Err(refusal(status, body));
    }
    serde_json::from_slice(body).map_err(|mismatch| match serde_json::from_slice::<Answer>(body) {
        Ok(Answer(Err(refusal))) => refusal,
        _ => Error::Decode(format!("status {status}: {mismatch}")),
    })
}

/// Maps a status that is not a success.
fn refusal(status: StatusCode, body: &[u8]) -> Error {
    match serde_json::from_slice::<Answer>(body) {
        Ok(Answer(Err(refusal))) => refusal,
        _ => Error::Decode(format!("status {status} without an error")),
    }
}

/// Returns the error of a used-up quota, whatever the answer's status.
fn quota(body: &[u8]) -> Option<Error> {
    #[derive(serde::Deserialize)]
    struct Refusal {
        error: String,
    }
    let Refusal { error } = serde_json::from_slice(body).ok()?;
    Error::from_quota(error).ok()
}
