//! QStash's answers: the body of a success, or the error.

use std::time::Duration;

use ::http::{HeaderMap, StatusCode};
use bytes::{Bytes, BytesMut};
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::Response;
use serde::Deserialize;

use super::error::Error;
use crate::protocol::http;

/// The largest answer that is read, so that a page of large dead letters cannot exhaust an instance's memory.
const MAX_BYTES: usize = 16 << 20;

/// How much of an error's text is kept, in characters.
const MAX_REASON: usize = 500;

/// From this value on, a reset is a Unix time in seconds; below, it is a number of seconds. No wait lasts thirty years.
const UNIX_TIMES: i64 = 1_000_000_000;

/// Reads the complete `response`.
pub(super) async fn read(response: Response) -> Result<Bytes, Error> {
    let status = response.status();
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Err(rate_limited(response.headers()));
    }
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return Err(Error::Unauthorized);
    }
    let body = collect(response).await?;
    match status {
        _ if status.is_success() => Ok(body),
        StatusCode::PRECONDITION_FAILED => Err(Error::Quota(reason(&body))),
        _ => Err(Error::Refused {
            status: status.as_u16(),
            reason: reason(&body),
        }),
    }
}

async fn collect(mut response: Response) -> Result<Bytes, Error> {
    let mut body = BytesMut::new();
    let lost = |error: reqwest::Error| Error::Transport(error.without_url());
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(Error::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Maps a 429. The daily limit has `RateLimit-*` headers, the limit per second `Burst-RateLimit-*`.
fn rate_limited(headers: &HeaderMap) -> Error {
    let daily = headers.contains_key("ratelimit-limit");
    let reset = if daily {
        "ratelimit-reset"
    } else {
        "burst-ratelimit-reset"
    };
    Error::RateLimited {
        retry_after: wait(headers, "retry-after").or_else(|| wait(headers, reset)),
        daily,
    }
}

/// Returns the wait until a reset. It is computed with the server's own `Date`, so that our clock does not matter.
fn wait(headers: &HeaderMap, name: &str) -> Option<Duration> {
    let value: i64 = headers.get(name)?.to_str().ok()?.trim().parse().ok()?;
    let seconds = if value < UNIX_TIMES {
        value
    } else {
        let date = headers.get(::http::header::DATE)?.to_str().ok()?;
        let now = DateTimeParser::new().parse_timestamp(date).ok()?;
        value.saturating_sub(now.as_second())
    };
    let wait = u64::try_from(seconds).ok().map(Duration::from_secs);
    wait.map(|wait| wait.min(http::MAX_WAIT))
}

/// Returns the reason. QStash sends `{"error": "..."}`; a proxy in between may not.
fn reason(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Explanation {
        error: String,
    }
    let text = serde_json::from_slice::<Explanation>(body).map_or_else(
        |_| String::from_utf8_lossy(body).into_owned(),
        |it| it.error,
    );
    text.chars().take(MAX_REASON).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::protocol::qstash::canned::{Answer, Server};
    use crate::protocol::qstash::error::Error;

    async fn error_of(answer: Answer) -> Error {
        let server = Server::answering([answer]);
        server.client().ping().await.expect_err("refused")
    }

    #[tokio::test]
    async fn daily_and_burst_limits_are_distinguished() {
        let burst = Answer::json(429, "{}").with("Burst-RateLimit-Limit: 100");
        let burst = burst.with("Burst-RateLimit-Reset: 1795456801");
        let burst = burst.with("Date: Mon, 23 Nov 2026 18:00:00 GMT");
        let Error::RateLimited { retry_after, daily } = error_of(burst).await else {
            panic!("not a rate limit");
        };
        assert_eq!((retry_after, daily), (Some(Duration::from_secs(1)), false));

        let day = Answer::json(429, "{}").with("RateLimit-Limit: 1000");
        let day = day.with("RateLimit-Reset: 3600");
        let Error::RateLimited { retry_after, daily } = error_of(day).await else {
            panic!("not a rate limit");
        };
        assert_eq!((retry_after, daily), (Some(Duration::from_hours(1)), true));
    }

    #[tokio::test]
    async fn rate_limit_with_an_invalid_reset_is_still_a_rate_limit() {
        for value in ["soon", "-5", "99999999999999999999", "1795456801"] {
            let answer = Answer::json(429, "{}").with(&format!("Burst-RateLimit-Reset: {value}"));
            let error = error_of(answer).await;
            let none = matches!(
                error,
                Error::RateLimited {
                    retry_after: None,
                    ..
                }
            );
            assert!(none, "{value}: {error:?}");
        }
    }

    #[tokio::test]
    async fn retry_after_header_takes_precedence() {
        let answer = Answer::json(429, "{}").with("RateLimit-Limit: 1");
        let answer = answer.with("RateLimit-Reset: 9").with("Retry-After: 7");
        let error = error_of(answer).await;
        let seven = Some(Duration::from_secs(7));
        assert!(matches!(error, Error::RateLimited { retry_after, .. } if retry_after == seven));
    }

    #[tokio::test]
    async fn quota_and_refusal_errors_keep_their_reason() {
        let error = error_of(Answer::json(412, r#"{"error":"10 schedules"}"#)).await;
        assert!(matches!(&error, Error::Quota(reason) if reason == "10 schedules"));

        let error = error_of(Answer::json(400, "<html>".repeat(1000).as_str())).await;
        assert!(matches!(&error, Error::Refused { status: 400, reason } if reason.len() == 500));
        assert!(!error.is_ambiguous());

        let error = error_of(Answer::json(502, "")).await;
        assert!(error.is_ambiguous() && error.is_transient());
    }

    #[tokio::test]
    async fn oversized_answer_is_not_read_into_memory() {
        let error = error_of(Answer::json(200, "x".repeat((16 << 20) + 1).as_str())).await;
        assert!(matches!(error, Error::TooLarge), "{error:?}");
    }

    #[tokio::test]
    async fn redirect_is_not_followed() {
        let answer = Answer::json(302, "").with("Location: http://127.0.0.1:1/");
        let error = error_of(answer).await;
        assert!(matches!(error, Error::Refused { status: 302, .. }));
    }
}
