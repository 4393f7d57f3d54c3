//! Tokens: none, wrong, standard, read-only.

use hyper::StatusCode;
use serde_json::json;

use crate::client::Client;
use crate::server::{READ_ONLY_TOKEN, Server, TOKEN};

#[tokio::test]
async fn request_without_a_valid_token_runs_nothing() {
    let server = Server::start().await;
    let url = server.front.url();
    let callers = [
        server.client().without_token(),
        Client::new(&url, ""),
        Client::new(&url, "wrong"),
    ];
    for client in callers {
        for target in [
            "/",
            "/pipeline",
            "/multi-exec",
            "/set/k/v",
            "/subscribe/c",
            "/monitor",
            "/?_token=wrong",
        ] {
            let answer = client.send("POST", target, r#"["SET","k","v"]"#).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{target}");
            assert_eq!(answer.error(), "WRONGPASS invalid or missing auth token");
        }
    }
    assert_eq!(
        server.client().command(r#"["EXISTS","k"]"#).await.json(),
        json!({"result": 0})
    );
}

#[tokio::test]
async fn token_in_the_query_is_accepted_and_is_not_an_argument() {
    let server = Server::start().await;
    let client = server.client().without_token();
    let target = format!("/set/k/v?_token={TOKEN}&EX=100");
    assert_eq!(
        client.send("GET", &target, "").await.json(),
        json!({"result": "OK"})
    );
}

#[tokio::test]
async fn read_only_token_reads_and_changes_nothing() {
    let server = Server::start().await;
    server.client().command(r#"["SET","k","v"]"#).await;
    let reader = Client::new(&server.front.url(), READ_ONLY_TOKEN);
    for allowed in [
        r#"["GET","k"]"#,
        r#"["PING"]"#,
        r#"["EVAL_RO","return 1","0"]"#,
        r#"["TYPE","k"]"#,
    ] {
        assert_eq!(
            reader.command(allowed).await.status,
            StatusCode::OK,
            "{allowed}"
        );
    }
    let refused = [
        r#"["SET","k","w"]"#,
        r#"["DEL","k"]"#,
        r#"["EVAL","return redis.call('del','k')","0"]"#,
        r#"["SCAN","0"]"#,
        r#"["KEYS","*"]"#,
        r#"["FLUSHALL"]"#,
        r#"["PUBLISH","c","m"]"#,
        r#"["SCRIPT","FLUSH"]"#,
        r#"["NOSUCH"]"#,
        r#"["FCALL","f","0"]"#,
    ];
    for command in refused {
        let answer = reader.command(command).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{command}");
        assert!(
            answer.error().starts_with("NOPERM "),
            "{command}: {}",
            answer.error()
        );
        let pipeline = reader
            .send("POST", "/pipeline", format!("[{command}]"))
            .await
            .json();
        assert!(
            pipeline[0]["error"]
                .as_str()
                .unwrap()
                .starts_with("NOPERM "),
            "{command}"
        );
        let transaction = reader
            .send("POST", "/multi-exec", format!("[{command}]"))
            .await;
        assert_eq!(transaction.status, StatusCode::BAD_REQUEST, "{command}");
    }
    assert_eq!(
        reader.send("POST", "/monitor", "").await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        reader.command(r#"["GET","k"]"#).await.json(),
        json!({"result": "v"})
    );
}
