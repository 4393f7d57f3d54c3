//! The script with which the web app reads sessions by itself; that both agree is shown with the official client, in
//! tests/sdk/redis/session.test.js.

use shared::service::session::DIRECT_READ;
use uuid::Uuid;

use super::stage::Stage;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../clients/session.lua");

async fn direct(stage: &Stage, id: &str) -> redis::Value {
    stage
        .redis(&["EVAL", DIRECT_READ, "1", &format!("session:{id}")])
        .await
}

#[test]
fn the_file_for_the_web_app_is_the_script_that_the_api_runs() {
    if shared::base::env::optional("UPDATE_OPENAPI").is_some() {
        std::fs::write(FILE, DIRECT_READ).unwrap();
    }
    let file = std::fs::read_to_string(FILE).unwrap();
    assert!(
        file == DIRECT_READ,
        "clients/session.lua is behind shared/src/service/session/lua: run this test with UPDATE_OPENAPI=1"
    );
}

#[tokio::test]
async fn a_direct_read_asks_for_the_api_where_only_the_api_can_answer() {
    let stage = Stage::start().await;
    let id = stage.login(Uuid::new_v4()).await;
    assert!(matches!(
        direct(&stage, &id).await,
        redis::Value::BulkString(_)
    ));
    assert_eq!(direct(&stage, "unknown").await, redis::Value::Nil);
    let left: i64 =
        redis::from_redis_value(stage.redis(&["EXISTS", "session:unknown"]).await).unwrap();
    assert_eq!(left, 0, "a direct read leaves nothing behind");

    // Once an hour the last use has to reach Postgres.
    stage.pass_time(&id, 3_600_001).await;
    assert_eq!(direct(&stage, &id).await, redis::Value::Nil);
    assert_eq!(stage.read(&id).await.status, 200);
    assert!(matches!(
        direct(&stage, &id).await,
        redis::Value::BulkString(_)
    ));

    assert_eq!(stage.revoke(&id).await.status, 204);
    assert_eq!(direct(&stage, &id).await, redis::Value::Int(0));
}
