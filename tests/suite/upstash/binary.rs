//! Bytes and unusual names: they are returned unchanged, and nothing else is affected.

use bytes::Bytes;
use proptest::prelude::{Just, any};
use proptest::prop_oneof;
use proptest::test_runner::{Config, TestRunner};
use shared::protocol::upstash::{Command, Error, Redis, Reply, Script};

use crate::support::seeds;
use crate::support::store::Store;

static READ: Script = Script::repeatable("return {redis.call('GET', KEYS[1]), {ARGV[1]}}");

/// Bytes that are not text: they can only be sent as the body of the path form.
const NO_TEXT: &[u8] = b"\xff\x00\xfe";

async fn set(redis: &Redis, key: &str, value: &[u8]) -> Result<(), Error> {
    let value = Bytes::copy_from_slice(value);
    redis
        .run_binary(Command::new("SET").arg(key).body(value))
        .await
}

async fn get(redis: &Redis, key: &str) -> Vec<u8> {
    redis.run(Command::new("GET").arg(key)).await.unwrap()
}

#[tokio::test]
async fn every_byte_survives_both_ways() {
    let store = Store::start().await;
    let redis = store.client();
    let all: Vec<u8> = (0..=255).collect();
    set(&redis, "all", &all).await.unwrap();
    assert_eq!(get(&redis, "all").await, all);
    for byte in 0..=255 {
        set(&redis, "one", &[byte]).await.unwrap();
        assert_eq!(get(&redis, "one").await, [byte], "byte {byte}");
    }
    set(&redis, "none", b"").await.unwrap();
    assert_eq!(get(&redis, "none").await, b"", "no byte at all");
}

#[tokio::test]
async fn odd_key_is_the_same_key_in_the_path_and_in_json() {
    let keys = [
        " ",
        "  a ",
        "+",
        "a+b",
        "%",
        "%2F",
        "%2e%2e",
        "%00",
        "a/b",
        "/",
        "//",
        "/a/",
        "?",
        "?x=1",
        "#",
        "#f",
        "&_token=x",
        ";",
        ":",
        "'",
        "\"",
        "\\",
        "..\\..",
        "...",
        "a..",
        "./a",
        "../a",
        "{}",
        "[\"GET\"]",
        "\0",
        "\n",
        "\r\n",
        "\t",
        "é",
        "e\u{301}",
        "世界",
        "\u{1f600}",
        "\u{2028}",
        "\u{fffd}",
        "\u{202e}",
    ];
    let store = Store::start().await;
    let redis = store.client();
    for (place, key) in keys.into_iter().enumerate() {
        set(&redis, key, NO_TEXT).await.unwrap();
        assert_eq!(get(&redis, key).await, NO_TEXT, "{key:?}");
        let size: usize = redis::cmd("DBSIZE")
            .query_async(&mut store.direct().await)
            .await
            .unwrap();
        assert_eq!(size, place + 1, "{key:?} fell together with another key");
    }
}

#[tokio::test]
async fn argument_unfit_for_a_path_is_refused_and_runs_no_other_command() {
    let store = Store::start().await;
    let redis = store.client();
    let smuggled = br#"["SET","victim","1"]"#;
    for key in ["", ".", ".."] {
        let outcome = set(&redis, key, NO_TEXT).await;
        assert!(
            matches!(outcome, Err(Error::Unsendable(_))),
            "{key:?}: {outcome:?}"
        );
        set(&redis, key, smuggled).await.unwrap();
        assert_eq!(
            get(&redis, key).await,
            smuggled,
            "text takes the way of JSON: {key:?}"
        );
    }
    assert_eq!(
        store.count("victim").await,
        0,
        "a value was run as a command"
    );
}

#[test]
fn bytes_under_any_key_round_trip_through_commands_and_scripts() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime.block_on(Store::start());
    let redis = store.client();
    let keys = prop_oneof![any::<String>(), "[ -~]{1,12}", Just("..".to_owned())];
    let cases = seeds(256).try_into().unwrap();
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let inputs = (keys, any::<Vec<u8>>(), any::<String>());
    runner
        .run(&inputs, |(key, value, argument)| {
            runtime.block_on(round_trip(&redis, &key, &value, &argument));
            Ok(())
        })
        .unwrap();
}

async fn round_trip(redis: &Redis, key: &str, value: &[u8], argument: &str) {
    let in_path = std::str::from_utf8(value).is_err();
    let outcome = set(redis, key, value).await;
    if in_path && matches!(key, "" | "." | "..") {
        assert!(matches!(outcome, Err(Error::Unsendable(_))), "{outcome:?}");
        return;
    }
    outcome.unwrap();
    assert_eq!(get(redis, key).await, value);
    let call = READ.invoke().key(key).arg(argument);
    let replies: Vec<Reply> = redis.eval(call).await.unwrap();
    let [kept, echoed] = replies.try_into().unwrap();
    assert_eq!(kept, Reply::Bytes(value.to_vec()));
    let argument = Reply::Bytes(argument.as_bytes().to_vec());
    assert_eq!(echoed, Reply::Array(vec![argument]));
}
