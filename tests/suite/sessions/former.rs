//! Sessions that the web app's TypeScript wrote: a JSON string, a set of ids, a row without our columns.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use shared::protocol::postgres::Type;
use uuid::Uuid;

use super::stage::Stage;
use shared::base::clock::Clock;

fn hash(token: &str) -> String {
    shared::base::hex::hex(&Sha256::digest(token))
}

/// Writes what `storeSession` of the web app leaves in Redis.
async fn store_session(stage: &Stage, user: Uuid, id: &str, token: &str) {
    let now = shared::base::clock::Clock::system().now().as_millisecond();
    let session = json!({
        "userId": user, "email": "ann@example.com", "refreshToken": hash(token), "createdAt": now - 60_000,
        "lastUsedAt": now - 30_000, "userAgent": "Mozilla/5.0", "ipAddress": "192.0.2.9",
        "totpVerified": true, "totpVerifiedAt": now - 50_000, "totpContext": "login",
    });
    stage
        .redis(&[
            "SETEX",
            &format!("session:{id}"),
            "604800",
            &session.to_string(),
        ])
        .await;
    stage
        .redis(&["SADD", &format!("user_sessions:{user}"), id])
        .await;
}

/// Writes its row in Postgres.
async fn store_row(stage: &Stage, user: Uuid, id: &str, token: &str) {
    let (user, hash) = (user.to_string(), hash(token));
    let sql = "insert into public.user_sessions (session_id, user_id, email, refresh_token_hash, created_at, \
        last_used_at, user_agent) values ($1, $2::uuid, 'ann@example.com', $3, now(), now(), 'Mozilla/5.0')";
    let parameters: [(&(dyn shared::protocol::postgres::ToSql + Sync), Type); 3] =
        [(&id, Type::TEXT), (&user, Type::TEXT), (&hash, Type::TEXT)];
    stage.owner().execute(sql, &parameters).await.unwrap();
}

async fn kind(stage: &Stage, key: &str) -> String {
    redis::from_redis_value(stage.redis(&["TYPE", key]).await).unwrap()
}

#[tokio::test]
async fn typescript_session_is_read_and_replaced_on_first_use() {
    let stage = Stage::start().await;
    let user = Uuid::new_v4();
    store_session(&stage, user, "old-1", "t0").await;
    store_row(&stage, user, "old-1", "t0").await;
    stage
        .redis(&["SADD", &format!("user_sessions:{user}"), "long-dead"])
        .await;
    let read = stage.read("old-1").await;
    assert_eq!(read.status, 200, "{read:?}");
    assert_eq!(read.body["userId"], user.to_string());
    assert_eq!(read.body["device"]["type"], "unknown");
    assert_eq!(kind(&stage, "session:old-1").await, "hash");
    assert_eq!(stage.listed(user).await, ["old-1"]);
    assert_eq!(kind(&stage, &format!("user_sessions:{user}")).await, "hash");
    let fields: Vec<String> = redis::from_redis_value(
        stage
            .redis(&["HKEYS", &format!("user_sessions:{user}")])
            .await,
    )
    .unwrap();
    assert_eq!(fields, ["old-1"], "dead ids are not taken over");

    let login = stage.login(user).await;
    assert_eq!(stage.listed(user).await, [login.as_str(), "old-1"]);
    assert_eq!(
        stage
            .delete(&format!("/api/users/{user}/sessions"))
            .await
            .status,
        204
    );
    assert_eq!(stage.listed(user).await, [""; 0]);
}

#[tokio::test]
async fn former_set_of_many_dead_ids_keeps_those_that_live() {
    let stage = Stage::start().await;
    let user = Uuid::new_v4();
    let index = format!("user_sessions:{user}");
    for dead in 0..95 {
        let id = format!("dead-{dead}");
        stage.redis(&["SADD", &index, &id]).await;
    }
    for id in ["old-1", "old-2", "old-3"] {
        store_session(&stage, user, id, "t0").await;
        store_row(&stage, user, id, "t0").await;
    }
    let mut listed = stage.listed(user).await;
    listed.sort();
    assert_eq!(listed, ["old-1", "old-2", "old-3"]);
    let mut fields: Vec<String> =
        redis::from_redis_value(stage.redis(&["HKEYS", &index]).await).unwrap();
    fields.sort();
    assert_eq!(fields, ["old-1", "old-2", "old-3"], "dead ids go");
}

#[tokio::test]
async fn every_route_accepts_a_typescript_session_without_wrongtype_errors() {
    let stage = Stage::start().await;
    let user = Uuid::new_v4();
    for id in ["old-1", "old-2", "old-3", "old-4"] {
        store_session(&stage, user, id, "t0").await;
        store_row(&stage, user, id, "t0").await;
    }
    assert_eq!(
        stage.refresh("old-1", "t0", "t1").await.body["rotated"],
        true
    );
    let put = stage
        .set_totp("old-2", &json!({ "verified": true, "context": "both" }))
        .await;
    assert_eq!(put.body["totp"]["context"], "both", "{put:?}");
    assert_eq!(stage.revoke("old-3").await.status, 204);
    let mut listed = stage.listed(user).await;
    listed.sort();
    assert_eq!(listed, ["old-1", "old-2", "old-4"]);
    assert_eq!(stage.login(user).await.len(), 36);
    for (key, text) in [("session:bad-1", "no json"), ("session:bad-2", "[1]")] {
        stage.redis(&["SET", key, text]).await;
        let id = key.strip_prefix("session:").unwrap();
        stage
            .read(id)
            .await
            .assert_problem(404, "session_not_found", text);
    }
}

/// The web app deletes the row at logout and rotates only in the row: its string must neither outlive nor override it.
#[tokio::test]
async fn typescript_session_in_redis_does_not_override_its_row() {
    let stage = Stage::start().await;
    let user = Uuid::new_v4();
    store_session(&stage, user, "rotated", "t0").await;
    store_row(&stage, user, "rotated", "t1").await;
    let refused = stage.refresh("rotated", "t0", "x").await;
    refused.assert_problem(401, "refresh_token_invalid", "the string's token");
    assert_eq!(
        stage.refresh("rotated", "t1", "t2").await.body["rotated"],
        true
    );
    assert_eq!(
        stage.read("rotated").await.body["totp"],
        json!({ "verified": false })
    );

    store_session(&stage, Uuid::new_v4(), "logged-out", "t0").await;
    let refused = stage.refresh("logged-out", "t0", "x").await;
    refused.assert_problem(401, "refresh_token_invalid", "logged out there");
    let put = stage
        .set_totp(
            "logged-out",
            &json!({ "verified": true, "context": "both" }),
        )
        .await;
    assert_eq!(put.status, 404, "{put:?}");
}

#[tokio::test]
async fn row_without_our_columns_is_a_session() {
    let stage = Stage::start().await;
    let user = Uuid::new_v4();
    store_row(&stage, user, "row", "t0").await;
    let read = stage.read("row").await.body;
    assert_eq!(read["device"]["type"], "unknown", "{read:#}");
    assert_eq!(read["userId"], Value::from(user.to_string()));
    assert_eq!(stage.listed(user).await, ["row"]);
    assert_eq!(stage.refresh("row", "t0", "t1").await.body["rotated"], true);
    stage.redis(&["FLUSHALL"]).await;
    assert_eq!(stage.refresh("row", "t1", "t2").await.body["rotated"], true);
}

/// The web app deletes the row at logout and leaves the string: it was served, and each use extended it by seven days.
#[tokio::test]
async fn session_logged_out_by_typescript_is_gone() {
    let stage = Stage::start().await;
    let user = Uuid::new_v4();
    store_session(&stage, user, "logged-out", "t0").await;
    store_session(&stage, user, "alive", "t0").await;
    store_row(&stage, user, "alive", "t0").await;
    for _ in 0..2 {
        let read = stage.read("logged-out").await;
        read.assert_problem(404, "session_not_found", "no row");
        assert_eq!(stage.listed(user).await, ["alive"]);
    }
    assert_eq!(stage.read("alive").await.status, 200);
}

#[tokio::test]
async fn typescript_session_string_expires_at_its_own_time() {
    let (cloud, gates) = crate::outages::gated().await;
    let stage = Stage(cloud);
    let user = Uuid::new_v4();
    store_session(&stage, user, "unconfirmed", "t0").await;
    stage
        .redis(&["EXPIRE", "session:unconfirmed", "3600"])
        .await;
    // While Postgres is unavailable, the logout is not visible. The session is served, but not extended.
    gates.postgres.fail(crate::outages::gate::Verdict::Cut);
    for _ in 0..2 {
        let read = stage.read("unconfirmed").await;
        assert_eq!(read.status, 200, "{read:?}");
        assert_eq!(read.body["ipAddress"], "192.0.2.9");
        assert_eq!(read.body["device"]["userAgent"], "Mozilla/5.0");
        assert_eq!(read.body["totp"]["context"], "login");
        let ends: jiff::Timestamp = read.body["expiresAt"].as_str().unwrap().parse().unwrap();
        let left = ends.as_second() - Clock::system().now().as_second();
        assert!(left <= 3600, "{left}");
        let life: i64 =
            redis::from_redis_value(stage.redis(&["TTL", "session:unconfirmed"]).await).unwrap();
        assert!((3000..=3600).contains(&life), "{life}");
    }
    gates.postgres.open();
    assert_eq!(stage.read("unconfirmed").await.status, 404);
}
