//! Responses that no store sends: a clear error each time, never a panic, a wrong value or a hang.

mod server;
mod streams;

use std::time::Duration;

use shared::protocol::upstash::{Command, Error, Pipeline, Redis, Reply, Script};
use tokio::time::timeout;

use self::server::{http, ok, reciting};
use crate::support::cloud::TIMEOUT;

static SCRIPT: Script = Script::new("return 1");

fn get() -> Command {
    Command::new("GET").arg("k")
}

/// Sends each kind of request, and returns the errors.
async fn errors(redis: &Redis) -> [(&'static str, Error); 4] {
    let asking = async {
        let pipeline = Pipeline::new().command(get()).script(SCRIPT.invoke());
        [
            (
                "single",
                redis.run::<Option<String>>(get()).await.unwrap_err(),
            ),
            (
                "script",
                redis
                    .eval::<Option<String>>(SCRIPT.invoke())
                    .await
                    .unwrap_err(),
            ),
            ("pipeline", redis.pipeline(pipeline).await.unwrap_err()),
            (
                "transaction",
                redis.transaction(&[get(), get()]).await.unwrap_err(),
            ),
        ]
    };
    timeout(TIMEOUT, asking).await.unwrap()
}

#[tokio::test]
async fn malformed_answer_is_refused_by_every_kind_of_call() {
    let deep = format!(
        "{{\"result\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    for (body, why) in [
        ("", "nothing"),
        ("hello", "no JSON"),
        ("<html><body>Welcome</body></html>", "a page"),
        ("{\"result\":\"aGk", "truncated"),
        ("{\"result\":\"aGk=\"} and more", "something behind it"),
        ("{}", "neither a result nor an error: not nil"),
        ("{\"message\":\"Forbidden\"}", "somebody else's object"),
        ("null", "null"),
        ("7", "a number"),
        ("\"OK\"", "a string"),
        ("[[[]]]", "arrays of arrays"),
        ("{\"result\":{\"a\":1}}", "an object as the result"),
        ("{\"result\":true}", "a boolean as the result"),
        ("{\"result\":1.5}", "a fraction as the result"),
        ("{\"result\":1e999}", "an infinite number"),
        (
            "{\"result\":18446744073709551615}",
            "more than an integer holds",
        ),
        ("{\"result\":123456789012345678901234567890}", "many digits"),
        ("{\"error\":7}", "an error that is no text"),
        ("{\"error\":{\"code\":1}}", "an error that is an object"),
        ("{\"result\":1,\"result\":2}", "two results"),
        (deep.as_str(), "too deeply nested"),
    ] {
        let redis = reciting(ok(body), false).await;
        for (way, error) in errors(&redis).await {
            assert!(matches!(error, Error::Decode(_)), "{why}, {way}: {error:?}");
        }
    }
    let redis = reciting([ok("").as_bytes(), b"\xff\xfe"].concat(), false).await;
    errors(&redis).await;
}

#[tokio::test]
async fn error_answer_for_the_whole_request_is_an_error_in_every_status() {
    for (status, body, why) in [
        (
            "200 OK",
            "{\"error\":\"ERR no\"}",
            "an error object where a list was asked for",
        ),
        (
            "200 OK",
            "{\"result\":\"aGk=\",\"error\":\"ERR no\"}",
            "both: the error counts",
        ),
        ("400 Bad Request", "{\"error\":\"ERR no\"}", "as documented"),
        ("404 Not Found", "{\"error\":\"ERR no\"}", "another status"),
    ] {
        let redis = reciting(http(status, "", body), false).await;
        for (way, error) in errors(&redis).await {
            assert!(
                matches!(error, Error::Command(ref line) if line == "ERR no"),
                "{why}, {way}: {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn unsuccessful_status_never_yields_a_value() {
    let value = "{\"result\":\"aGk=\"}";
    for (status, headers) in [
        ("301 Moved", "location: http://127.0.0.1:1/\r\n"),
        ("404 Not Found", ""),
        ("400 Bad Request", ""),
    ] {
        let redis = reciting(http(status, headers, value), false).await;
        for (way, error) in errors(&redis).await {
            assert!(
                matches!(error, Error::Decode(_)),
                "{status}, {way}: {error:?}"
            );
        }
    }
    for status in [
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Timeout",
    ] {
        let redis = reciting(http(status, "", "<html>oops</html>"), false).await;
        for (way, error) in errors(&redis).await {
            assert!(
                matches!(error, Error::Transport { sent: true, .. }),
                "{status}, {way}: {error:?}"
            );
        }
    }
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let redis = reciting(http(status, "", "<html>no</html>"), false).await;
        for (way, error) in errors(&redis).await {
            assert!(
                matches!(error, Error::Unauthorized),
                "{status}, {way}: {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn rate_limit_reports_the_wait_that_the_store_names() {
    for (header, wait) in [
        ("retry-after: 7\r\n", Some(Duration::from_secs(7))),
        ("retry-after: soon\r\n", None),
        ("retry-after: -1\r\n", None),
        ("", None),
    ] {
        let redis = reciting(http("429 Too Many Requests", header, "slow down"), false).await;
        for (way, error) in errors(&redis).await {
            assert!(
                matches!(error, Error::RateLimited { retry_after } if retry_after == wait),
                "{header}, {way}: {error:?}"
            );
        }
    }
    for line in [
        "ERR max daily request limit exceeded. Limit: 10000",
        "ERR max requests limit exceeded.",
    ] {
        let redis = reciting(
            http("400 Bad Request", "", &format!("{{\"error\":\"{line}\"}}")),
            false,
        )
        .await;
        for (way, error) in errors(&redis).await {
            assert!(
                matches!(error, Error::RateLimited { .. }),
                "{line}, {way}: {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn pipeline_answer_of_another_length_is_refused() {
    for body in [
        "[]",
        "[{\"result\":1}]",
        "[{\"result\":1},{\"result\":2},{\"result\":3}]",
    ] {
        let redis = reciting(ok(body), false).await;
        let [_, _, (_, pipeline), (_, transaction)] = errors(&redis).await;
        assert!(matches!(pipeline, Error::Decode(_)), "{body}: {pipeline:?}");
        assert!(
            matches!(transaction, Error::Decode(_)),
            "{body}: {transaction:?}"
        );
    }
}

#[tokio::test]
async fn connection_broken_or_stalled_within_an_answer_is_a_lost_answer() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"result\":";
    for (answer, stays, why) in [
        ("", false, "closed at once"),
        ("HTTP/1.1 200", false, "closed in the status line"),
        (head, false, "closed in the body"),
        (head, true, "stalled in the body"),
        ("", true, "silent"),
        ("SSH-2.0-OpenSSH_9.2\r\n", true, "no HTTP at all"),
    ] {
        let redis = reciting(answer, stays).await;
        let outcome = timeout(TIMEOUT, redis.run::<i64>(Command::new("INCR").arg("k")))
            .await
            .unwrap();
        assert!(
            matches!(outcome, Err(Error::Transport { sent: true, .. })),
            "{why}: {outcome:?}"
        );
        assert_eq!(redis.usage().take().requests, 1, "{why}: it may have run");
    }
}

#[tokio::test]
async fn text_that_is_not_base64_is_unchanged() {
    let redis = reciting(ok("{\"result\":\"no base64!\",\"more\":[1]}"), false).await;
    let reply: Reply = redis.run(get()).await.unwrap();
    assert_eq!(reply, Reply::Bytes(b"no base64!".to_vec()));
}
