//! Deleting entries over HTTP: immediate, permanent, and one request for a group.

use http::Method;
use serde_json::json;
use shared::service::cache::AnyKind;

use super::{DOMAIN, OWNER, REQUEST, came_from, cloud, known, path};
use crate::support::TestCloud;
use crate::support::cloud::answer;
use crate::support::ledger::LedgerDatabase;

async fn warm(cloud: &TestCloud) {
    for kind in AnyKind::ALL {
        let read = cloud.get(&path(kind.name(), known(kind))).await;
        assert_eq!(read.status, 200, "{read:?}");
    }
}

/// Returns the kinds that are still served from the cache.
async fn cached(cloud: &TestCloud) -> Vec<&'static str> {
    let mut cached = Vec::new();
    for kind in AnyKind::ALL {
        let read = cloud.get(&path(kind.name(), known(kind))).await;
        if came_from(&read) == "HIT" {
            cached.push(kind.name());
        }
    }
    cached
}

#[tokio::test]
async fn acknowledged_invalidation_removes_the_cached_entry() {
    let cloud = cloud().await;
    let database = LedgerDatabase::of(&cloud);
    let path = path("totp-configs", OWNER);
    for enabled in [false, true, false] {
        let update = format!("update public.user_totp_configs set enabled = {enabled}");
        database.execute(&update).await;
        let gone = answer(cloud.request(Method::DELETE, &path)).await;
        assert_eq!(gone.status, 204, "{gone:?}");
        assert_eq!(cloud.get(&path).await.body["enabled"], json!(enabled));
        assert_eq!(came_from(&cloud.get(&path).await), "HIT");
    }
    for id in [OWNER, "never-seen", "a b"] {
        let gone = cloud.request(Method::DELETE, &super::path("documents", id));
        assert_eq!(answer(gone).await.status, 204, "{id}");
    }
}

#[tokio::test]
async fn group_is_invalidated_in_one_redis_request_and_nothing_else() {
    let cloud = cloud().await;
    warm(&cloud).await;
    let before = cloud.redis().requests();
    let gone = cloud.request(
        Method::DELETE,
        &format!("/api/cache/groups/user/{}", OWNER.to_uppercase()),
    );
    assert_eq!(answer(gone).await.status, 204);
    // One of the guard and one of the operation.
    assert_eq!(cloud.redis().requests() - before, 2);
    let left = cached(&cloud).await;
    for gone in ["user-profiles", "totp-configs", "notification-preferences"] {
        assert!(!left.contains(&gone), "{left:?}");
    }
    assert_eq!(left.len(), 6, "{left:?}");

    let gone = cloud.request(
        Method::DELETE,
        &format!("/api/cache/groups/domain/{DOMAIN}"),
    );
    assert_eq!(answer(gone).await.status, 204);
    let left = cached(&cloud).await;
    assert!(
        !left.iter().any(|kind| kind.starts_with("domain-")),
        "{left:?}"
    );
    assert_eq!(left.len(), 6, "{left:?}");
}

/// Defect 46: KEYS over the whole database, then DEL one by one.
#[tokio::test]
async fn invalidation_does_not_scan_the_keyspace() {
    let cloud = cloud().await;
    warm(&cloud).await;
    for path in [
        path("documents", REQUEST),
        format!("/api/cache/groups/user/{OWNER}"),
        format!("/api/cache/groups/domain/{DOMAIN}"),
        "/api/cache/groups/user/*".to_owned(),
    ] {
        assert_eq!(
            answer(cloud.request(Method::DELETE, &path)).await.status,
            204
        );
    }
    assert_eq!(cloud.get("/api/cache/stats").await.status, 200);
    assert!(
        cached(&cloud).await.contains(&"signing-requests"),
        "a star is an id like any other"
    );
    let stats: String = redis::cmd("INFO")
        .arg("commandstats")
        .query_async(&mut cloud.redis_connection().await)
        .await
        .unwrap();
    for command in ["cmdstat_keys:", "cmdstat_scan:"] {
        assert!(!stats.contains(command), "{stats}");
    }
}
