//! Every fault from the caller's side, and whether the command ran.

use std::time::Duration;

use hyper::StatusCode;
use local_redis_rest::Fault;
use serde_json::json;

use crate::server::Server;

const INCR: &str = r#"["INCR","n"]"#;

async fn count(server: &Server) -> String {
    server.client().command(r#"["GET","n"]"#).await.json()["result"]
        .as_str()
        .unwrap_or("0")
        .to_owned()
}

#[tokio::test]
async fn refused_request_gets_no_answer_and_does_not_run() {
    let server = Server::start().await;
    server.front.faults().set_for_next(2, Fault::Refused);
    assert!(server.client().try_send("POST", "/", INCR).await.is_err());
    assert!(
        server
            .client()
            .try_send("POST", "/pipeline", format!("[{INCR}]"))
            .await
            .is_err()
    );
    assert_eq!(count(&server).await, "0");
    assert_eq!(server.front.requests(), 3);
}

#[tokio::test]
async fn cut_answer_breaks_off_after_the_command_ran() {
    let server = Server::start().await;
    for target in ["/pipeline", "/multi-exec"] {
        server.front.faults().set_for_next(1, Fault::CutAnswer);
        let answer = server
            .client()
            .open("POST", target, format!("[{INCR}]"))
            .await
            .unwrap();
        assert_eq!(
            answer.status(),
            StatusCode::OK,
            "the head and half of the body arrive"
        );
        assert!(
            http_body_util::BodyExt::collect(answer.into_body())
                .await
                .is_err()
        );
    }
    assert_eq!(count(&server).await, "2");
}

#[tokio::test]
async fn loading_fails_commands_items_and_transactions() {
    let server = Server::start().await;
    server.front.faults().set_for_next(3, Fault::Loading);
    let loading = json!({"error": "LOADING Redis is loading the dataset in memory"});
    let single = server.client().command(INCR).await;
    assert_eq!(
        (single.status, single.json()),
        (StatusCode::BAD_REQUEST, loading.clone())
    );
    let pipeline = server
        .client()
        .send("POST", "/pipeline", format!("[{INCR},{INCR}]"))
        .await;
    assert_eq!(
        (pipeline.status, pipeline.json()),
        (StatusCode::OK, json!([loading, loading]))
    );
    let transaction = server
        .client()
        .send("POST", "/multi-exec", format!("[{INCR}]"))
        .await;
    assert_eq!(
        (transaction.status, transaction.json()),
        (StatusCode::BAD_REQUEST, loading)
    );
    assert_eq!(count(&server).await, "0");
}

#[tokio::test]
async fn read_only_fault_refuses_writes_and_scripts() {
    let server = Server::start().await;
    server.front.faults().set(Some(Fault::ReadOnly));
    for write in [
        INCR,
        r#"["EVAL","return 1","0"]"#,
        r#"["EVALSHA","00","0"]"#,
        r#"["FLUSHALL"]"#,
    ] {
        let answer = server.client().command(write).await;
        assert_eq!(
            answer.error(),
            "READONLY You can't write against a read only replica.",
            "{write}"
        );
    }
    assert_eq!(count(&server).await, "0");
    server.front.faults().set(None);
    assert_eq!(
        server.client().command(INCR).await.json(),
        json!({"result": 1})
    );
}

#[tokio::test]
async fn noscript_fault_fails_evalsha_and_eval_still_works() {
    let server = Server::start().await;
    let client = server.client();
    let loaded = client
        .command(r#"["SCRIPT","LOAD","return 1"]"#)
        .await
        .json();
    let by_name = json!(["EVALSHA", loaded["result"], "0"]).to_string();
    server.front.faults().set_for_next(3, Fault::NoScript);
    assert_eq!(
        client.command(&by_name).await.error(),
        "NOSCRIPT No matching script. Please use EVAL."
    );
    let pipeline = client
        .send(
            "POST",
            "/pipeline",
            format!(r#"[{by_name},["EVAL","return 2","0"]]"#),
        )
        .await
        .json();
    assert_eq!(
        pipeline,
        json!([{"error": "NOSCRIPT No matching script. Please use EVAL."}, {"result": 2}])
    );
    assert_eq!(
        client.command(r#"["EVAL","return 1","0"]"#).await.json(),
        json!({"result": 1})
    );
    assert_eq!(client.command(&by_name).await.json(), json!({"result": 1}));
}

#[tokio::test]
async fn unauthorized_and_rate_limited_are_answered_like_upstash() {
    let server = Server::start().await;
    server.front.faults().set_for_next(1, Fault::Unauthorized);
    let unauthorized = server.client().command(INCR).await;
    assert_eq!(unauthorized.status, StatusCode::UNAUTHORIZED);
    assert!(unauthorized.error().starts_with("WRONGPASS"));
    server.front.faults().set_for_next(1, Fault::RateLimited);
    let limited = server.client().command(INCR).await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(
        limited
            .error()
            .starts_with("ERR max daily request limit exceeded")
    );
    assert_eq!(count(&server).await, "0");
}

#[tokio::test]
async fn spent_month_fails_each_command_or_the_request_with_the_configured_status() {
    let server = Server::start().await;
    let client = server.client();
    let text = "ERR max requests limit exceeded";
    server.front.faults().set(Some(Fault::Spent(None)));
    let single = client.command(INCR).await;
    assert_eq!(single.status, StatusCode::BAD_REQUEST);
    assert!(single.error().starts_with(text), "{}", single.error());
    let batch = format!("[{INCR},{INCR}]");
    let piped = client.send("POST", "/pipeline", batch.clone()).await;
    assert_eq!(piped.status, StatusCode::OK);
    assert!(piped.json()[1]["error"].as_str().unwrap().starts_with(text));
    let whole = client.send("POST", "/multi-exec", batch).await;
    assert!(whole.error().starts_with(text), "{}", whole.error());
    server.front.faults().set(Some(Fault::Spent(Some(403))));
    assert_eq!(client.command(INCR).await.status, StatusCode::FORBIDDEN);
    server.front.faults().set(None);
    assert_eq!(count(&server).await, "0");
}

#[tokio::test]
async fn full_disk_refuses_writes_also_in_scripts_and_allows_reads_and_deletes() {
    let server = Server::start().await;
    let client = server.client();
    client.command(r#"["SET","k","v"]"#).await;
    server.front.faults().set(Some(Fault::Full));
    for write in [
        r#"["SET","k","w"]"#,
        r#"["EVAL","return redis.call('SET', KEYS[1], 'w')","1","k"]"#,
    ] {
        let answer = client.command(write).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.error(), "ERR DB capacity quota exceeded");
    }
    let get = r#"["GET","k"]"#;
    assert_eq!(client.command(get).await.json(), json!({"result": "v"}));
    assert_eq!(
        client.command(r#"["DEL","k"]"#).await.json(),
        json!({"result": 1})
    );
    server.front.faults().set(None);
    assert_eq!(
        client.command(r#"["SET","k","w"]"#).await.json(),
        json!({"result": "OK"})
    );
}

#[tokio::test]
async fn slow_front_answers_eventually() {
    let server = Server::start().await;
    server
        .front
        .faults()
        .set_for_next(1, Fault::Slow(Duration::from_hours(1)));
    let asked =
        tokio::time::timeout(Duration::from_millis(300), server.client().command(INCR)).await;
    assert!(asked.is_err(), "the caller gives up first");
    assert_eq!(count(&server).await, "0");
    server
        .front
        .faults()
        .set_for_next(1, Fault::Slow(Duration::from_millis(50)));
    assert_eq!(
        server.client().command(INCR).await.json(),
        json!({"result": 1})
    );
}
