//! The next sweep repairs the effects of an outage: the block list in an empty Redis, and notifications to account
//! owners from a time without Postgres.

use futures_util::future::join_all;
use http::Method;
use local::cloud::Database;
use redis::AsyncCommands as _;
use serde_json::json;

use super::STRANGER;
use super::blocklist::{LIST, block, status_from, unblock};
use crate::outages::gate::Verdict;
use crate::outages::gated;
use crate::outbox::{ping, result};
use crate::support::TestCloud;
use crate::support::cloud::{answer, fresh_database};
use crate::support::ledger::LedgerDatabase;
use crate::support::waiting::eventually;

const ANN: &str = "ann@example.com";

#[tokio::test]
async fn blocked_addresses_are_refused_again_after_redis_loss() {
    let cloud = TestCloud::start().await;
    for number in 0..3 {
        let body = json!({ "cidr": format!("192.0.2.{number}"), "reason": "scanning" });
        assert_eq!(block(&cloud, &body).await.status, 200);
    }
    assert_eq!(result(&ping(&cloud, "first").await)["blocked"], 3);
    let mut redis = cloud.redis_connection().await;
    let _: () = redis.flushall().await.unwrap();
    // A change in between is not taken for the whole list, and a removed entry stays removed.
    unblock(&cloud, "192.0.2.1").await;
    let body = json!({ "cidr": "192.0.2.7", "reason": "scanning" });
    assert_eq!(block(&cloud, &body).await.status, 200);
    assert_eq!(status_from(&cloud, "192.0.2.0").await, 200);
    assert_eq!(result(&ping(&cloud, "second").await)["blocked"], 3);
    for (address, status) in [
        ("192.0.2.0", 403),
        ("192.0.2.1", 200),
        ("192.0.2.2", 403),
        ("192.0.2.7", 403),
    ] {
        assert_eq!(status_from(&cloud, address).await, status, "{address}");
    }
    assert_eq!(result(&ping(&cloud, "third").await)["blocked"], 0);
}

#[tokio::test]
async fn copy_equals_the_list_after_concurrent_changes() {
    let cloud = TestCloud::start().await;
    for round in 0..8 {
        let body = json!({ "cidr": "192.0.2.1", "reason": format!("round {round}") });
        join_all((0..6).map(|number| {
            let (cloud, body) = (&cloud, &body);
            async move {
                if number % 2 == 0 {
                    assert_eq!(block(cloud, body).await.status, 200);
                } else {
                    unblock(cloud, "192.0.2.1").await;
                }
            }
        }))
        .await;
        let listed = answer(cloud.request(Method::GET, LIST)).await;
        let is_listed = !listed.body["items"].as_array().unwrap().is_empty();
        let wanted = if is_listed { 403 } else { 200 };
        assert_eq!(status_from(&cloud, "192.0.2.1").await, wanted, "{round}");
    }
}

#[tokio::test]
async fn lockout_without_postgres_is_reported_to_the_owner_later() {
    let (cloud, gates) = gated().await;
    gates.postgres.fail(Verdict::Cut);
    for failures in 1..=5 {
        let locked = STRANGER.attempts(&cloud, ANN, false).await.body["locked"].clone();
        assert_eq!(locked, failures == 5);
    }
    assert_eq!(cloud.mails().get(ANN), None);
    gates.postgres.open();
    assert_eq!(result(&ping(&cloud, "first").await)["told"], 1);
    // Notifications go through the outbox, which the next sweep relays.
    assert_eq!(result(&ping(&cloud, "second").await)["told"], 0);
    eventually("the owner is notified", async || {
        cloud.mails().get(ANN).copied() == Some(1)
    })
    .await;
}

#[tokio::test]
async fn unwritable_event_does_not_block_the_others() {
    let made = fresh_database().await;
    let database = LedgerDatabase::at(made.clone());
    let cloud = TestCloud::start_with(|settings| settings.database = Database::Made(made)).await;
    let event = |id: &str, agent: &str| {
        let event = json!({
            "id": id, "kind": "NewDevice", "severity": "Info", "identifier": ANN, "address": "192.0.2.1",
            "user_agent": agent, "details": {}, "mail": null,
        });
        event.to_string()
    };
    let mut redis = cloud.redis_connection().await;
    // An invalid one, one with text that Postgres rejects, and a valid one.
    let waiting = ["{".to_owned(), event("bad", "\0"), event("good", "Firefox")];
    let _: () = redis
        .rpush("security_events:untold", &waiting)
        .await
        .unwrap();
    assert_eq!(result(&ping(&cloud, "first").await)["told"], 3);
    assert_eq!(result(&ping(&cloud, "second").await)["told"], 0);
    let written = "select jsonb_agg(id) as value from signtusk.security_events";
    assert_eq!(database.read(written).await, json!(["good"]));
}
