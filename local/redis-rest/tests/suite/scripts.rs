//! Scripts: their SHA-1s, and Upstash's flag that redis-server does not know.

use hyper::StatusCode;
use serde_json::json;

use crate::client::Client;
use crate::server::Server;

/// `#!lua flags=allow-key-locking\nreturn KEYS[1]`, and its SHA-1.
const FLAGGED: &str = "#!lua flags=allow-key-locking\\nreturn KEYS[1]";
const FLAGGED_SHA1: &str = "381756943d141e39420bae7b430a0fa99ae0ad9e";

async fn load(client: &Client, script: &str) -> String {
    let loaded = client
        .command(&format!(r#"["SCRIPT","LOAD","{script}"]"#))
        .await;
    loaded.json()["result"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn script_with_the_flag_keeps_its_own_hash() {
    let server = Server::start().await;
    let client = server.client();
    assert_eq!(load(&client, FLAGGED).await, FLAGGED_SHA1);
    let upper = FLAGGED_SHA1.to_ascii_uppercase();
    for name in [FLAGGED_SHA1, &upper] {
        let run = client
            .command(&format!(r#"["EVALSHA","{name}",1,"the key"]"#))
            .await;
        assert_eq!(run.json(), json!({"result": "the key"}));
    }
    let exists = client
        .command(&format!(
            r#"["SCRIPT","EXISTS","{FLAGGED_SHA1}","{upper}","00"]"#
        ))
        .await;
    assert_eq!(exists.json(), json!({"result": [1, 1, 0]}));
}

#[tokio::test]
async fn eval_caches_the_script_and_flush_removes_it() {
    let server = Server::start().await;
    let client = server.client();
    let by_name = format!(r#"["EVALSHA","{FLAGGED_SHA1}","1","k"]"#);
    let unknown = client.command(&by_name).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        unknown.error(),
        "NOSCRIPT No matching script. Please use EVAL."
    );
    let pipeline = format!(r#"[["EVAL","{FLAGGED}","1","k"],{by_name}]"#);
    let both = client.send("POST", "/pipeline", pipeline).await;
    assert_eq!(both.json(), json!([{"result": "k"}, {"result": "k"}]));
    client.command(r#"["SCRIPT","FLUSH"]"#).await;
    assert!(
        client
            .command(&by_name)
            .await
            .error()
            .starts_with("NOSCRIPT")
    );
}

#[tokio::test]
async fn other_flags_of_a_script_still_apply() {
    let server = Server::start().await;
    let script = "#!lua flags=no-writes,allow-key-locking\\nreturn redis.call('set',KEYS[1],'v')";
    let answer = server
        .client()
        .command(&format!(r#"["EVAL","{script}","1","k"]"#))
        .await;
    assert!(
        answer
            .error()
            .contains("Write commands are not allowed from read-only scripts"),
        "{}",
        answer.error()
    );
}

#[tokio::test]
async fn library_with_the_flag_loads_and_runs() {
    let server = Server::start().await;
    let client = server.client();
    let code = "#!lua name=lib\\nredis.register_function{function_name='f',\
                callback=function(keys) return keys[1] end,flags={'allow-key-locking','no-writes'}}";
    assert_eq!(
        client
            .command(&format!(r#"["FUNCTION","LOAD","{code}"]"#))
            .await
            .json(),
        json!({"result": "lib"})
    );
    assert_eq!(
        client.command(r#"["FCALL_RO","f","1","k"]"#).await.json(),
        json!({"result": "k"})
    );
}
