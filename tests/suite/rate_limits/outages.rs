//! Limiters without their store: one that fails closed rejects, one that fails open allows, and both are logged.

use local_redis_rest::Fault;
use serde_json::json;

use super::{READ, cloud_with, number, read_as};
use crate::support::TestCloud;
use crate::support::cloud::Answer;

/// Makes the web app's check of a limit.
async fn check(cloud: &TestCloud, limiter: &str) -> Answer {
    let path = format!("/api/security/rate-limits/{limiter}");
    cloud.post(&path, &json!({ "identifier": "ann" })).await
}

/// Defect 8: the protection allowed every request when it could not check.
#[tokio::test]
async fn closed_limiter_without_its_store_refuses() {
    let cloud = TestCloud::start().await;
    cloud.redis().faults().set(Some(Fault::Loading));
    for (limiter, success) in [
        ("totp", false),
        ("auth", false),
        ("signature", false),
        ("linkPassword", false),
        ("api", true),
        ("verify", true),
    ] {
        let checked = check(&cloud, limiter).await;
        assert_eq!(checked.status, 200, "{limiter}: {checked:?}");
        assert_eq!(checked.body["success"], success, "{limiter}: {checked:?}");
        assert_eq!(checked.body["reason"], "store-unavailable", "{limiter}");
        assert_eq!(
            checked.body.get("retryAfter").is_some(),
            !success,
            "{limiter}"
        );
    }
    cloud.redis().faults().set(None);
    let checked = check(&cloud, "totp").await;
    assert_eq!(
        (&checked.body["success"], &checked.body["remaining"]),
        (&json!(true), &json!(4))
    );
    assert!(cloud.logs().contains("limiter unavailable; answered"));
}

#[tokio::test]
async fn open_limiter_without_its_store_admits_and_is_counted() {
    let cloud = cloud_with(&[("RATE_LIMIT_API", "1/1d")]).await;
    // The list of suppressions is in Postgres: only its guard needs Redis.
    let path = "/api/suppressions";
    cloud.redis().faults().set(Some(Fault::Loading));
    for _ in 0..3 {
        let seen = cloud.get(path).await;
        assert_eq!(seen.status, 200, "{seen:?}");
        assert!(!seen.headers.contains_key("x-ratelimit-limit"));
    }
    let lost = read_as(&cloud, "ann", "192.0.2.9").await;
    lost.assert_problem(503, "unavailable", "the read itself needs the store");
    assert!(number(&lost, "retry-after") > 0);
    cloud.redis().faults().set(None);
    assert_eq!(read_as(&cloud, "ann", "192.0.2.9").await.status, 200);
    assert_eq!(read_as(&cloud, "ann", "192.0.2.9").await.status, 429);
    let logs = cloud.logs();
    assert!(logs.contains("limiter unavailable; request allowed"));
    assert!(logs.contains("LimiterOutages"), "no figure of {READ}");
}

#[tokio::test]
async fn closed_route_without_its_store_is_refused_before_it_starts() {
    let cloud = TestCloud::start().await;
    let wanted = json!({ "purpose": "password-reset", "email": "ann@example.com" });
    let issued = cloud.post("/api/tokens", &wanted).await;
    assert_eq!(issued.status, 201, "{issued:?}");
    let token = json!({ "purpose": "password-reset", "token": issued.body["token"] });
    cloud.redis().faults().set(Some(Fault::Loading));
    let refused = cloud.post("/api/tokens/redeem", &token).await;
    refused.assert_problem(503, "unavailable", "uncounted");
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("Rate limiting is unavailable"), "{detail}");
    assert!(number(&refused, "retry-after") > 0);
    assert!(cloud.logs().contains("LimiterOutages"));
    cloud.redis().faults().set(None);
    let redeemed = cloud.post("/api/tokens/redeem", &token).await;
    assert_eq!(redeemed.status, 200, "{redeemed:?}");
}
