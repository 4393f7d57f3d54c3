//! Plain reads from a lagging replica.

use std::time::Duration;

use local_redis_rest::{Lag, Settings, start};
use serde_json::json;

use crate::server::{Redis, Server, settings};

const DELAY: Duration = Duration::from_millis(400);

#[tokio::test]
async fn plain_read_is_stale_until_the_replica_follows_and_sync_token_or_script_is_not() {
    let (redis, follower) = (Redis::start(), Redis::start());
    let lag = Lag {
        replica: follower.address,
        delay: DELAY,
    };
    let front = start(Settings {
        lag: Some(lag),
        ..settings(redis.address)
    })
    .await
    .unwrap();
    let server = Server { front, redis };
    let client = server.client();
    let written = client.command(r#"["SET","k","v"]"#).await;
    let token = written.headers["upstash-sync-token"]
        .to_str()
        .unwrap()
        .to_owned();
    let get = r#"["GET","k"]"#;
    assert_eq!(
        client.command(get).await.json(),
        json!({ "result": null }),
        "stale"
    );
    let with_token = client
        .clone()
        .with_header("upstash-sync-token", token.leak());
    assert_eq!(
        with_token.command(get).await.json(),
        json!({ "result": "v" })
    );
    let empty = client.clone().with_header("upstash-sync-token", "");
    assert_eq!(
        empty.command(get).await.json(),
        json!({ "result": null }),
        "no token"
    );
    let script = r#"["EVAL","return redis.call('GET', KEYS[1])","1","k"]"#;
    assert_eq!(
        client.command(script).await.json(),
        json!({ "result": "v" })
    );
    let batch = r#"[["SET","k","w"],["GET","k"],["EXISTS","k"]]"#;
    let piped = client.send("POST", "/pipeline", batch).await.json();
    assert_eq!(
        piped,
        json!([{ "result": "OK" }, { "result": null }, { "result": 0 }])
    );
    let whole = client.send("POST", "/multi-exec", batch).await.json();
    assert_eq!(
        whole[1],
        json!({ "result": "w" }),
        "a transaction runs at the primary"
    );
    tokio::time::timeout(Duration::from_secs(20), async {
        while client.command(get).await.json() != json!({ "result": "w" }) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
}
