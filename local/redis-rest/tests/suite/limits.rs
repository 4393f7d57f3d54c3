//! The rejections of Upstash that redis-server lacks: undeclared keys in scripts, scripts that run too long, too large
//! keys and records, and commands that it does not offer.

use std::time::Duration;

use hyper::StatusCode;
use local_redis_rest::{Limits, Settings, start};
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::server::{Redis, Server, settings};

const LOCKED: &str = "#!lua flags=allow-key-locking\n";

async fn call(client: &Client, words: &[&str]) -> Answer {
    client.command(&serde_json::to_string(words).unwrap()).await
}

/// Runs a script with the flag over one key.
async fn locked(client: &Client, body: &str, key: &str) -> Answer {
    call(client, &["EVAL", &format!("{LOCKED}{body}"), "1", key]).await
}

/// Starts a front with its own limits and its own redis-server.
async fn limited(change: impl FnOnce(&mut Limits)) -> (Server, Client) {
    let redis = Redis::start();
    let mut limits = Limits::default();
    change(&mut limits);
    let front = start(Settings {
        limits,
        ..settings(redis.address)
    })
    .await
    .unwrap();
    let server = Server { front, redis };
    let client = server.client();
    (server, client)
}

#[tokio::test]
async fn locked_script_may_use_its_declared_keys_in_any_spelling() {
    let server = Server::start().await;
    let client = server.client();
    for key in [
        "k",
        "a*b",
        "[x]?\\",
        "two words",
        "tab\tnul\u{0}",
        "é😀",
        "",
        "-",
        "~k",
        "a b*",
    ] {
        let body = "redis.call('SET', KEYS[1], 'v') return redis.call('GET', KEYS[1])";
        let answer = locked(&client, body, key).await;
        assert_eq!(answer.json(), json!({ "result": "v" }), "{key:?}");
    }
    let built = "return redis.call('EXISTS', 'a' .. '*' .. 'b')";
    assert_eq!(
        locked(&client, built, "a*b").await.json(),
        json!({ "result": 1 })
    );
}

#[tokio::test]
async fn locked_script_that_touches_another_key_is_refused_midway() {
    let server = Server::start().await;
    let client = server.client();
    for (body, key, touched) in [
        ("return redis.call('GET', KEYS[1] .. '2')", "k", "k2"),
        ("return redis.call('SET', 'other', 'v')", "k", "other"),
        ("return redis.call('MGET', KEYS[1], 'axb')", "a*b", "axb"),
        ("return redis.call('RENAME', KEYS[1], 'x')", "k", "x"),
        (
            "return redis.call('EXISTS', 'twoxwords')",
            "two words",
            "twoxwords",
        ),
        (
            "return redis.call('XADD', 'stream', '*', 'f', 'v')",
            "k",
            "stream",
        ),
        (
            "return redis.call('ZUNIONSTORE', KEYS[1], 1, 'z')",
            "k",
            "z",
        ),
    ] {
        call(&client, &["SET", "k", "v"]).await;
        let answer = locked(&client, body, key).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(
            answer.error(),
            format!(
                "ERR Dynamic keys are not allowed in Lua scripts when 'allow-key-locking' flag is set. Key was: {touched}"
            ),
            "{body}"
        );
    }
    for body in [
        "KEYS', '*'",
        "FLUSHDB'",
        "FLUSHALL'",
        "SCAN', '0'",
        "RANDOMKEY'",
        "DBSIZE'",
    ] {
        let answer = locked(&client, &format!("return redis.call('{body})"), "k").await;
        assert!(
            answer.error().starts_with("ERR Command is not available"),
            "{body}: {}",
            answer.error()
        );
    }
    assert_eq!(
        call(&client, &["EXISTS", "k", "other", "stream"])
            .await
            .json(),
        json!({ "result": 1 })
    );
}

#[tokio::test]
async fn script_key_permissions_end_with_its_call() {
    let server = Server::start().await;
    let client = server.client();
    let script = format!("{LOCKED}return redis.call('SET', ARGV[1], 'v')");
    let batch = json!([
        ["EVAL", script, "1", "a", "a"],
        ["EVAL", script, "1", "b", "a"],
        ["SET", "anything", "v"],
        [
            "EVAL",
            "return redis.call('SET', ARGV[1], 'v')",
            "0",
            "free"
        ],
        ["PUBLISH", "channel", "message"],
    ]);
    for path in ["/pipeline", "/multi-exec"] {
        let answer = client.send("POST", path, batch.to_string()).await;
        let replies = answer.json();
        let word = |place: usize| {
            replies[place]["result"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        assert_eq!(
            [word(0), word(2), word(3)],
            ["OK", "OK", "OK"],
            "{path}: {replies}"
        );
        assert!(
            replies[1]["error"].as_str().unwrap().contains("Key was: a"),
            "{path}: {replies}"
        );
        assert_eq!(replies[4]["result"], 0, "{path}: {replies}");
    }
}

#[tokio::test]
async fn script_cannot_call_commands_forbidden_to_callers() {
    let server = Server::start().await;
    let client = server.client();
    for (name, call_of) in [
        ("LCS", "'LCS', KEYS[1], KEYS[1]"),
        ("SORT", "'SORT', KEYS[1]"),
        ("OBJECT", "'OBJECT', 'ENCODING', KEYS[1]"),
        ("PUBLISH", "'PUBLISH', 'channel', 'message'"),
        ("MOVE", "'MOVE', KEYS[1], 1"),
    ] {
        for flag in ["", LOCKED] {
            let script = format!("{flag}return redis.call({call_of})");
            let answer = call(&client, &["EVAL", &script, "1", "k"]).await;
            let text = format!("ERR Command is not available: '{name}'");
            assert!(
                answer.error().starts_with(&text),
                "{script}: {}",
                answer.error()
            );
        }
    }
}

#[tokio::test]
async fn script_that_runs_too_long_fails_and_an_endless_one_is_killed() {
    let (_server, client) = limited(|limits| limits.script_time = Duration::from_millis(100)).await;
    let spin = "local turns = 0 while turns < 6e7 do turns = turns + 1 end return 1";
    let answer = call(&client, &["EVAL", spin, "0"]).await;
    assert!(
        answer
            .error()
            .starts_with("ERR script timed out. Limit: 100 ms"),
        "{}",
        answer.error()
    );
    let endless = call(&client, &["EVAL", "while true do end", "0"]).await;
    assert!(
        endless.error().starts_with("ERR script timed out"),
        "{}",
        endless.error()
    );
    assert_eq!(
        call(&client, &["EVAL", "return 1", "0"]).await.json(),
        json!({ "result": 1 })
    );
}

#[tokio::test]
async fn scripts_over_the_minutes_budget_are_refused_and_other_commands_are_not() {
    let budget = Duration::from_millis(50);
    let (_server, client) = limited(|limits| limits.script_time_per_minute = Some(budget)).await;
    let spin = "local turns = 0 while turns < 2e6 do turns = turns + 1 end return 1";
    let mut runs = 0;
    let refusal = loop {
        let answer = call(&client, &["EVAL", spin, "0"]).await;
        if answer.status != StatusCode::OK {
            break answer.error();
        }
        runs += 1;
        assert!(runs < 1000, "the budget is never spent");
    };
    assert!(
        refusal.starts_with("ERR max script run time exceeded"),
        "{refusal}"
    );
    assert!(runs >= 1);
    assert_eq!(
        call(&client, &["SET", "k", "v"]).await.json(),
        json!({ "result": "OK" })
    );
}

#[tokio::test]
async fn key_of_32_kilobytes_is_accepted_and_a_longer_one_is_refused() {
    let server = Server::start().await;
    let client = server.client();
    let (most, longer) = ("k".repeat(32 * 1024), "k".repeat(32 * 1024 + 1));
    assert_eq!(
        call(&client, &["SET", &most, "v"]).await.status,
        StatusCode::OK
    );
    let script = "return 1";
    for words in [
        vec!["SET", &longer, "v"],
        vec!["GET", &longer],
        vec!["MGET", "k", &longer],
        vec!["MSET", "k", "v", &longer, "v"],
        vec!["EVAL", script, "2", "k", &longer],
        vec!["ZUNION", "1", &longer],
        vec!["XREAD", "COUNT", "1", "STREAMS", &longer, "0"],
    ] {
        let answer = call(&client, &words).await;
        let text = "ERR max key size exceeded. Limit: 32768 bytes, Actual: 32769 bytes";
        assert_eq!(answer.json(), json!({ "error": text }), "{}", words[0]);
    }
    let value = call(&client, &["SET", "k", &longer]).await;
    assert_eq!(value.status, StatusCode::OK, "a value may be long");
}

#[tokio::test]
async fn record_over_its_limit_cannot_grow_and_can_be_read_and_cut() {
    const LIMIT: u64 = 3 * 1024 * 1024;
    let (_server, client) = limited(|limits| limits.record_bytes = LIMIT).await;
    let part = "x".repeat(256 * 1024);
    let grows = async |words: Vec<String>| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        for round in 0..40 {
            let answer = call(&client, &words).await;
            if answer.status != StatusCode::OK {
                assert_eq!(answer.error(), "ERR max single record size exceeded");
                return round;
            }
        }
        panic!("{} never ends", words[0]);
    };
    let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    let script = "return redis.call('RPUSH', KEYS[1], ARGV[1])";
    for words in [
        owned(&["APPEND", "string", &part]),
        owned(&["RPUSH", "list", &part]),
        owned(&["EVAL", script, "1", "list by script", &part]),
    ] {
        let rounds = grows(words).await;
        assert!((8..24).contains(&rounds), "{rounds} rounds of 256 KB");
    }
    for words in [
        ["LLEN", "list"],
        ["STRLEN", "string"],
        ["LPOP", "list"],
        ["DEL", "list"],
    ] {
        assert_eq!(
            call(&client, &words).await.status,
            StatusCode::OK,
            "{words:?}"
        );
    }
    assert_eq!(
        call(&client, &["RPUSH", "list", "x"]).await.json(),
        json!({ "result": 1 })
    );
}

#[tokio::test]
async fn commands_that_upstash_does_not_document_are_refused() {
    let server = Server::start().await;
    let client = server.client();
    for command in [
        "LCS a b",
        "SORT k",
        "SORT_RO k",
        "OBJECT ENCODING k",
        "SPUBLISH c m",
        "ROLE",
        "MOVE k 1",
        "SUBSTR k 0 1",
        "LOLWUT",
        "LASTSAVE",
        "XSETID s 1-1",
        "PUBSUB SHARDCHANNELS",
        "MEMORY DOCTOR",
        "FUNCTION DUMP",
        "LATENCY DOCTOR",
        "SLOWLOG GET",
        "ACL SETUSER eve on",
        "CONFIG SET notify-keyspace-events KEA maxmemory 1",
        "CONFIG RESETSTAT",
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        let answer = call(&client, &words).await;
        let text = format!("ERR Command is not available: '{}'", words[0]);
        assert!(
            answer.error().starts_with(&text),
            "{command}: {}",
            answer.error()
        );
    }
    let unknown = call(&client, &["JSON.GET", "k"]).await;
    assert!(
        unknown.error().starts_with("ERR unknown command"),
        "{}",
        unknown.error()
    );
}

#[tokio::test]
async fn server_group_is_answered_as_upstash_documents_it() {
    let server = Server::start().await;
    let client = server.client();
    // A script first: the front's own users are not listed.
    call(&client, &["EVAL", "return 1", "0"]).await;
    let answers: &[(&str, Value)] = &[
        ("COMMAND", json!([])),
        ("CONFIG GET maxmemory", json!([])),
        ("CONFIG SET notify-keyspace-events KEA", json!("OK")),
        (
            "CONFIG GET notify-*",
            json!(["notify-keyspace-events", "AKE"]),
        ),
        ("ACL WHOAMI", json!("default")),
        ("ACL USERS", json!(["default"])),
        ("ACL LOG", json!([])),
        ("ACL LOG RESET", json!("OK")),
        ("ACL LOAD", json!("OK")),
        ("DBSIZE", json!(0)),
        ("FLUSHDB", json!("OK")),
        ("FLUSHALL", json!("OK")),
    ];
    for (command, expected) in answers {
        let words: Vec<&str> = command.split(' ').collect();
        assert_eq!(
            call(&client, &words).await.json(),
            json!({ "result": expected }),
            "{command}"
        );
    }
    for command in [
        "INFO",
        "TIME",
        "ACL CAT",
        "ACL LIST",
        "ACL GENPASS",
        "ACL GETUSER default",
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        assert_eq!(
            call(&client, &words).await.status,
            StatusCode::OK,
            "{command}"
        );
    }
}
