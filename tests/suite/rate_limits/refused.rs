//! A rejection is not an outage: a rejected read causes no other request, and leaves nothing behind.

use http::Method;
use redis::AsyncCommands as _;
use serde_json::json;
use uuid::Uuid;

use super::{cloud_with, number, of};
use crate::support::cloud::{answer, with_json};
use crate::support::ledger::LedgerDatabase;

#[tokio::test]
async fn refused_read_reaches_neither_postgres_nor_a_lease() {
    let cloud = cloud_with(&[("RATE_LIMIT_API", "1/1d")]).await;
    let database = LedgerDatabase::of(&cloud);
    let user = Uuid::new_v4();
    // The only allowed request, used by another function.
    let body = json!({ "paused": false });
    let pause = of(
        &cloud,
        Method::PUT,
        "/api/queue/pauses/email",
        &user.to_string(),
        "192.0.2.1",
    );
    let spent = answer(with_json(pause, &body)).await;
    assert_eq!(number(&spent, "x-ratelimit-remaining"), 0);
    let mut redis = cloud.redis_connection().await;
    let before: Vec<String> = redis.keys("*").await.unwrap();
    let paths = [
        format!("/api/cache/documents/{}", Uuid::new_v4()),
        format!("/api/cache/totp-configs/{user}"),
        "/api/sessions/only-postgres-knows".to_owned(),
        format!("/api/users/{user}/sessions"),
        "/api/notifications/unread-count".to_owned(),
        "/api/notifications".to_owned(),
        "/api/audit".to_owned(),
        "/api/suppressions".to_owned(),
    ];
    for path in paths {
        let refused = answer(of(
            &cloud,
            Method::GET,
            &path,
            &user.to_string(),
            "192.0.2.1",
        ))
        .await;
        refused.assert_problem(429, "rate_limited", &path);
    }
    let after: Vec<String> = redis.keys("*").await.unwrap();
    let left: Vec<&String> = after
        .iter()
        .filter(|key| {
            !before.contains(key) && !key.starts_with("rl:") && !key.starts_with("rate_limit")
        })
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let connected = "select coalesce(jsonb_agg(query), '[]') as value from pg_stat_activity \
        where usename like 'functions%' and pid <> pg_backend_pid() and datname = current_database()";
    let connected = database.read(connected).await;
    assert_eq!(
        connected,
        json!([]),
        "a refused request opened a connection"
    );
}
