//! Single commands: their forms, rejections, and that every byte is preserved.

use std::collections::HashSet;

use hyper::StatusCode;
use serde_json::json;

use crate::server::Server;

#[tokio::test]
async fn command_may_come_as_json_in_the_path_or_in_both_path_and_body() {
    let server = Server::start().await;
    let client = server.client();
    assert_eq!(
        client.command(r#"["SET","k","v"]"#).await.json(),
        json!({"result": "OK"})
    );
    assert_eq!(
        client.send("GET", "/get/k", "").await.json(),
        json!({"result": "v"})
    );
    assert_eq!(
        client
            .send("POST", "/set/k2?EX=100", "from the body")
            .await
            .json(),
        json!({"result": "OK"})
    );
    assert_eq!(
        client.send("PUT", "/append/k2", "!").await.json(),
        json!({"result": 14})
    );
    assert_eq!(
        client.send("GET", "/Get/k2", "").await.json(),
        json!({"result": "from the body!"})
    );
    let left = client.send("GET", "/ttl/k2", "").await.json()["result"]
        .as_i64()
        .unwrap();
    assert!((1..=100).contains(&left));
    assert_eq!(
        client.send("GET", "/get/none", "").await.json(),
        json!({"result": null})
    );
    assert_eq!(client.send("GET", "/", "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_byte_of_keys_and_values_survives() {
    let server = Server::start().await;
    let client = server.client();
    let all: Vec<u8> = (0..=255).collect();
    client
        .send("POST", "/set/bin%00%ff%2F%0d%0a", all.clone())
        .await;
    let resp2 = client
        .clone()
        .with_header("upstash-response-format", "resp2");
    let expected = [b"$256\r\n", all.as_slice(), b"\r\n"].concat();
    assert_eq!(
        resp2.send("GET", "/get/bin%00%ff%2F%0d%0a", "").await.body,
        expected
    );
    let base64 = client.with_header("upstash-encoding", "base64");
    let encoded = base64
        .send("GET", "/get/bin%00%ff%2F%0d%0a", "")
        .await
        .json();
    assert!(encoded["result"].as_str().unwrap().starts_with("AAECAwQF"));
}

#[tokio::test]
async fn numbers_keep_all_their_digits() {
    let server = Server::start().await;
    let client = server.client();
    client.command(r#"["SET","n",9223372036854775806]"#).await;
    assert_eq!(
        client.command(r#"["INCR","n"]"#).await.body,
        r#"{"result":9223372036854775807}"#
    );
    client
        .command(r#"["SET","n",0.1000000000000000055511151231257827]"#)
        .await;
    assert_eq!(
        client.command(r#"["GET","n"]"#).await.json()["result"],
        "0.1000000000000000055511151231257827"
    );
}

#[tokio::test]
async fn resp2_distinguishes_status_null_and_error_like_redis() {
    let server = Server::start().await;
    let client = server
        .client()
        .with_header("upstash-response-format", "resp2");
    assert_eq!(client.command(r#"["SET","k","v"]"#).await.body, "+OK\r\n");
    assert_eq!(client.command(r#"["GET","none"]"#).await.body, "$-1\r\n");
    assert_eq!(
        client.command(r#"["LPOP","none","1"]"#).await.body,
        "*-1\r\n"
    );
    let failed = client.command(r#"["INCR","k"]"#).await;
    assert_eq!(failed.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        failed.body,
        "-ERR value is not an integer or out of range\r\n"
    );
    let batch = client
        .send("POST", "/pipeline", r#"[["GET","k"],["PING"]]"#)
        .await;
    assert_eq!(batch.headers["content-type"], "application/octet-stream");
    assert_eq!(batch.body, "$1\r\nv\r\n+PONG\r\n");
}

#[tokio::test]
async fn failing_command_is_400_with_the_redis_error() {
    let server = Server::start().await;
    let client = server.client();
    client.command(r#"["SET","k","v"]"#).await;
    let wrong_type = client.command(r#"["LPUSH","k","v"]"#).await;
    assert_eq!(wrong_type.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        wrong_type.error(),
        "WRONGTYPE Operation against a key holding the wrong kind of value"
    );
    assert!(
        client
            .command(r#"["NOSUCH","k"]"#)
            .await
            .error()
            .starts_with("ERR unknown command 'NOSUCH'")
    );
    // Redis quotes the bytes in its error line, which is then not text.
    let unknown = client.send("POST", "/nosuch/%ff", "").await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    assert!(unknown.error().contains('\u{fffd}'));
    assert_eq!(
        client.command(r#"["GET","k"]"#).await.json(),
        json!({"result": "v"})
    );
}

#[tokio::test]
async fn commands_that_would_take_over_the_connection_are_refused() {
    let server = Server::start().await;
    let client = server.client();
    let refused = [
        "BLPOP k 0",
        "BRPOPLPUSH a b 0",
        "XREAD COUNT 1 BLOCK 0 STREAMS s $",
        "WAIT 1 0",
        "WATCH k",
        "UNWATCH",
        "MULTI",
        "EXEC",
        "DISCARD",
        "SUBSCRIBE c",
        "MONITOR",
        "AUTH x",
        "SELECT 1",
        "CLIENT REPLY OFF",
        "HELLO 3",
        "QUIT",
        "RESET",
        "SHUTDOWN NOSAVE",
        "CONFIG SET maxmemory 1",
        "DEBUG SLEEP 0",
        "SCRIPT DEBUG YES",
        "XREADGROUP GROUP streams c BLOCK 0 STREAMS s >",
        "FAILOVER",
        "REPLICAOF NO ONE",
        "MIGRATE h 1 k 0 1",
    ];
    for command in refused {
        let json = serde_json::to_string(&command.split(' ').collect::<Vec<_>>()).unwrap();
        let answer = client.command(&json).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{command}");
        assert!(
            answer
                .error()
                .starts_with("ERR Command is not available: '"),
            "{command}: {}",
            answer.error()
        );
    }
    client.command(r#"["XADD","s","1-1","f","v"]"#).await;
    let read = client
        .command(r#"["XREAD","COUNT","1","STREAMS","s","0"]"#)
        .await;
    assert_eq!(
        read.json(),
        json!({"result": [["s", [["1-1", ["f", "v"]]]]]})
    );
}

#[tokio::test]
async fn malformed_command_is_400_without_a_panic() {
    let server = Server::start().await;
    let client = server.client();
    for body in [
        &b""[..],
        b"[]",
        b"{}",
        b"null",
        b"[\"SET\",\"k\",null]",
        b"[\"SET\",[\"k\"]]",
        b"\xff\xfe",
        b"[\"\xff\"]",
    ] {
        for target in ["/", "/pipeline", "/multi-exec"] {
            let answer = client.send("POST", target, body.to_vec()).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{target} {body:?}");
            assert!(answer.error().starts_with("ERR "), "{target} {body:?}");
        }
    }
    for method in ["DELETE", "PATCH", "OPTIONS"] {
        assert_eq!(
            client.send(method, "/get/k", "").await.status,
            StatusCode::METHOD_NOT_ALLOWED,
            "{method}"
        );
    }
    let odd = client.with_header("upstash-response-format", "resp3");
    assert_eq!(
        odd.command(r#"["PING"]"#).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn request_over_ten_megabytes_is_refused_and_a_smaller_one_is_not() {
    let server = Server::start().await;
    let client = server.client();
    let most = vec![b'x'; 10 * 1024 * 1024];
    assert_eq!(
        client.send("POST", "/set/big", most.clone()).await.json(),
        json!({"result": "OK"})
    );
    assert_eq!(
        client.send("GET", "/strlen/big", "").await.json(),
        json!({"result": 10 * 1024 * 1024})
    );
    let refused = client
        .send("POST", "/set/big", [most.as_slice(), b"x"].concat())
        .await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(refused.error().starts_with("ERR max request size exceeded"));
}

#[tokio::test]
async fn endlessly_nested_reply_fails_only_its_own_request() {
    let server = Server::start().await;
    let client = server.client();
    let script = r#"["EVAL","local t={} for i=1,400 do t={t} end return t","0"]"#;
    assert!(client.command(script).await.status.as_u16() >= 400);
    assert_eq!(
        client.command(r#"["PING"]"#).await.json(),
        json!({"result": "PONG"})
    );
}

#[tokio::test]
async fn concurrent_writes_get_different_sync_tokens() {
    let server = Server::start().await;
    let client = server
        .client()
        .with_header("upstash-sync-token", "my-new-sync-token");
    let writes = (0..20).map(|_| client.command(r#"["INCR","n"]"#));
    let answers = futures_util::future::join_all(writes).await;
    let tokens: HashSet<_> = answers
        .iter()
        .map(|answer| answer.headers["upstash-sync-token"].clone())
        .collect();
    assert_eq!(tokens.len(), 20);
    assert!(tokens.iter().all(|token| !token.is_empty()));
}
