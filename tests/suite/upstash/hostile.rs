//! Answers that no store gives: a clear error each time, never a panic, never a wrong value, never a hang.

use std::time::Duration;

use shared::protocol::upstash::{Command, Error, Pipeline, Redis, Reply, Script};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::support::cloud::PATIENCE;
use crate::support::store::client;

static SCRIPT: Script = Script::new("return 1");

/// What is written to every connection, and whether it is then left open.
#[derive(Clone)]
struct Reciting {
    answer: Vec<u8>,
    stays: bool,
}

/// A client of a server that always says the same.
async fn reciting(answer: impl Into<Vec<u8>>, stays: bool) -> Redis {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let reciting = Reciting {
        answer: answer.into(),
        stays,
    };
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(recite(stream, reciting.clone()));
        }
    });
    client(&url, "token")
}

async fn recite(mut stream: TcpStream, reciting: Reciting) {
    let mut asked = Vec::new();
    while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut asked).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let _ = stream.write_all(&reciting.answer).await;
    if reciting.stays {
        tokio::time::sleep(Duration::from_hours(1)).await;
    }
    // What the client still sends is read, so that closing does not reset the connection before it has read.
    let _ = stream.shutdown().await;
    while stream.read_buf(&mut asked).await.unwrap_or(0) > 0 {}
}

fn http(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

fn ok(body: &str) -> String {
    http("200 OK", "", body)
}

fn get() -> Command {
    Command::new("GET").arg("k")
}

/// Asks in each way, and gives the errors.
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
    timeout(PATIENCE, asking).await.unwrap()
}

#[tokio::test]
async fn an_answer_that_is_no_answer_is_refused_in_every_way_of_asking() {
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
        (deep.as_str(), "deeper than anybody nests"),
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
async fn a_refusal_of_the_whole_is_an_error_whatever_the_status_says() {
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
async fn a_status_that_is_no_success_never_yields_a_value() {
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
async fn a_limit_is_told_with_the_wait_that_the_store_names() {
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
async fn a_list_of_another_length_is_no_answer_to_a_pipeline() {
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
async fn a_connection_that_breaks_or_stalls_in_the_middle_is_a_lost_answer() {
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
        let outcome = timeout(PATIENCE, redis.run::<i64>(Command::new("INCR").arg("k")))
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
async fn text_that_is_no_base64_is_kept_as_it_is() {
    let redis = reciting(ok("{\"result\":\"no base64!\",\"more\":[1]}"), false).await;
    let reply: Reply = redis.run(get()).await.unwrap();
    assert_eq!(reply, Reply::Bytes(b"no base64!".to_vec()));
}

#[tokio::test]
async fn a_subscription_ends_in_an_error_when_its_stream_is_no_stream() {
    let stream = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let endless = format!(
        "{stream}data: subscribe,c,1\n\ndata: message,c,{}",
        "x".repeat(2 << 20)
    );
    for (answer, stays, why) in [
        (ok("<html>Welcome</html>"), false, "a page"),
        (format!("{stream}data: hello\n\n"), true, "another greeting"),
        (stream.to_owned(), false, "ended before it began"),
        (stream.to_owned(), true, "channels that are never confirmed"),
        (
            format!("{stream}{}", "x".repeat(2 << 20)),
            true,
            "an endless first line",
        ),
        (endless, true, "an endless message"),
        (
            http("400 Bad Request", "", "{\"error\":\"ERR no\"}"),
            false,
            "refused",
        ),
        (
            http("502 Bad Gateway", "", "<html>"),
            false,
            "a gateway's page",
        ),
        (String::new(), true, "silence"),
    ] {
        let redis = reciting(answer, stays).await;
        let listening = async { redis.subscribe(&["c"]).await?.next().await };
        let outcome = timeout(PATIENCE, listening)
            .await
            .unwrap_or_else(|_| panic!("{why}: hangs"));
        assert!(outcome.is_err(), "{why}: {outcome:?}");
    }
}

#[tokio::test]
async fn events_of_no_concern_are_passed_over() {
    let events = "data: subscribe,c,1\r\n\r\n: comment\n\nevent: x\nid: 7\ndata:message,c,no space\n\
        data: message,other,not ours\ndata: pmessage,*,c,no\ndata: \ndata: message,c,yes\r\n\r\ndata: message,c,cut";
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{events}"
    );
    let redis = reciting(answer, false).await;
    let mut subscription = redis.subscribe(&["c"]).await.unwrap();
    assert_eq!(subscription.next().await.unwrap().unwrap().payload, "yes");
    assert_eq!(
        subscription.next().await.unwrap(),
        None,
        "half an event is none"
    );
}
