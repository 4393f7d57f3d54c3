//! Pipelines and transactions.

use hyper::StatusCode;
use serde_json::json;

use crate::server::Server;

#[tokio::test]
async fn pipeline_runs_in_order_and_a_failed_item_affects_no_other() {
    let server = Server::start().await;
    let body = r#"[["SET","k","v"],["INCR","k"],["BLPOP","k",0],["NOSUCH"],["GET","k"]]"#;
    let answer = server.client().send("POST", "/pipeline", body).await;
    assert_eq!(answer.status, StatusCode::OK);
    let items = answer.json();
    assert_eq!(items[0], json!({"result": "OK"}));
    assert_eq!(
        items[1],
        json!({"error": "ERR value is not an integer or out of range"})
    );
    assert!(
        items[2]["error"]
            .as_str()
            .unwrap()
            .starts_with("ERR Command is not available: 'BLPOP'")
    );
    assert!(
        items[3]["error"]
            .as_str()
            .unwrap()
            .starts_with("ERR unknown command")
    );
    assert_eq!(items[4], json!({"result": "v"}));
    assert_eq!(server.front.requests(), 1);
}

#[tokio::test]
async fn transaction_answers_per_command_and_continues_after_a_failure() {
    let server = Server::start().await;
    let client = server.client().with_header("upstash-encoding", "base64");
    let body = r#"[["SET","k","v"],["LPUSH","k","x"],["GET","k"]]"#;
    let answer = client.send("POST", "/multi-exec", body).await;
    assert_eq!(answer.status, StatusCode::OK);
    let wrong_type = "WRONGTYPE Operation against a key holding the wrong kind of value";
    assert_eq!(
        answer.json(),
        json!([{"result": "OK"}, {"error": wrong_type}, {"result": "dg=="}])
    );
}

#[tokio::test]
async fn transaction_that_cannot_be_queued_runs_nothing_and_is_400() {
    let server = Server::start().await;
    let client = server.client();
    for second in [
        r#"["NOSUCH"]"#,
        r#"["GET"]"#,
        r#"["BLPOP","k",0]"#,
        r#"["EXEC"]"#,
        r#"["MULTI"]"#,
        r#"["WATCH","k"]"#,
    ] {
        let answer = client
            .send(
                "POST",
                "/multi-exec",
                format!(r#"[["SET","k","v"],{second}]"#),
            )
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{second}");
        assert!(
            answer.error().starts_with("ERR "),
            "{second}: {}",
            answer.error()
        );
        assert_eq!(
            client.command(r#"["EXISTS","k"]"#).await.json(),
            json!({"result": 0}),
            "{second}"
        );
    }
}

#[tokio::test]
async fn concurrent_transactions_do_not_interleave() {
    let server = Server::start().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let client = server.client();
        tasks.spawn(async move {
            let body = r#"[["INCR","n"],["INCR","n"],["DECR","n"],["INCR","n"]]"#;
            client.send("POST", "/multi-exec", body).await.json()
        });
    }
    for items in tasks.join_all().await {
        let first = items[0]["result"].as_i64().unwrap();
        assert_eq!(first % 2, 1, "every transaction leaves an even count");
        assert_eq!(items[3]["result"], first + 1);
    }
    assert_eq!(
        server.client().command(r#"["GET","n"]"#).await.json()["result"],
        "80"
    );
}

#[tokio::test]
async fn thousand_commands_in_one_pipeline_keep_their_order() {
    let server = Server::start().await;
    let commands: Vec<_> = (0..1000).map(|n| json!(["ECHO", n.to_string()])).collect();
    let answer = server
        .client()
        .send("POST", "/pipeline", serde_json::to_vec(&commands).unwrap())
        .await
        .json();
    for (n, item) in answer.as_array().unwrap().iter().enumerate() {
        assert_eq!(item["result"], n.to_string());
    }
}
