//! A store is unavailable, or returns empty: acknowledged changes last, and others are rejected.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use local_redis_rest::Fault;
use serde_json::json;
use shared::service::session::{SessionId, Viewer};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::stage::Stage;
use crate::outages::gate::{Verdict, http_answer};
use crate::outages::store::{shut_down, start_again};
use crate::outages::{Gates, gated};
use crate::support::waiting::eventually;

async fn staged() -> (Stage, Gates) {
    let (cloud, gates) = gated().await;
    (Stage(cloud), gates)
}

/// Redis is lost and returns empty while 200 sessions are in use and 50 are being revoked. Those in use are served
/// again. No read that starts after a revocation was acknowledged sees its session.
#[tokio::test]
async fn emptied_redis_serves_live_sessions_and_none_that_was_revoked() {
    let stage = Stage::start_with(|settings| {
        settings.durable = false;
        // This number of logins is concurrent.
        let reserved = ("SessionsConcurrency".to_owned(), "200".to_owned());
        settings.parameters.extend([reserved]);
    })
    .await;
    let logins = (0..200).map(|_| stage.login(Uuid::new_v4()));
    let ids: Vec<String> = join_all(logins).await;
    let (doomed, used) = ids.split_at(50);

    let service = stage.service();
    let (over, acknowledged) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(Mutex::new(BTreeSet::new())),
    );
    let mut readers = Vec::new();
    for reader in 0..3 {
        let (service, over, acknowledged) = (stage.service(), over.clone(), acknowledged.clone());
        let ids = ids.clone();
        readers.push(tokio::spawn(async move {
            let mut place = reader * 61;
            while !over.load(Ordering::Relaxed) {
                place = (place + 7) % ids.len();
                let before = acknowledged.lock().await.contains(&ids[place]);
                let id = SessionId::try_from(ids[place].clone()).unwrap();
                let read = service.read(&id, Viewer::ALL, None).await;
                // During the outage a response may be missing.
                let seen = matches!(read, Ok(Some(_)));
                assert!(!(seen && before), "a revoked session was seen");
                tokio::task::yield_now().await;
            }
        }));
    }
    let revoking = async {
        for id in doomed {
            let wanted = SessionId::try_from(id.clone()).unwrap();
            if service.revoke(&wanted, Viewer::ALL).await.is_ok() {
                acknowledged.lock().await.insert(id.clone());
            }
        }
    };
    let replacing = async {
        eventually("some are revoked", async || {
            acknowledged.lock().await.len() > 10
        })
        .await;
        shut_down(stage.redis_server_addr()).await;
        start_again(&stage.0, "redis-empty", false).await
    };
    let ((), _server) = tokio::join!(revoking, replacing);
    over.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
    let acknowledged = acknowledged.lock().await;
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    for id in used {
        assert_eq!(stage.read(id).await.status, 200, "in use");
    }
    for id in doomed {
        let status = stage.read(id).await.status;
        assert!(status == 404 || !acknowledged.contains(id), "{status}");
        assert_eq!(stage.revoke(id).await.status, 204);
        assert_eq!(stage.read(id).await.status, 404);
    }
}

/// Postgres is unavailable: everything continues through the queue, and is there when Redis is lost afterwards.
#[tokio::test]
async fn changes_accepted_without_postgres_are_not_lost() {
    let (stage, gates) = staged().await;
    let (ann, bob) = (Uuid::new_v4(), Uuid::new_v4());
    let [refreshed, proven, revoked, kept] = [
        stage.login(ann).await,
        stage.login(ann).await,
        stage.login(ann).await,
        stage.login(ann).await,
    ];
    let of_bob = [stage.login(bob).await, stage.login(bob).await];
    gates.postgres.fail(Verdict::Cut);
    gates.postgres.sever();
    stage.0.qstash().hold(true);

    assert_eq!(stage.read(&kept).await.status, 200, "served from Redis");
    let begun = stage.login(ann).await;
    for (given, next) in [("t0", "t1"), ("t1", "t2")] {
        assert_eq!(
            stage.refresh(&refreshed, given, next).await.body["rotated"],
            true
        );
    }
    let proof = json!({ "verified": true, "context": "signing" });
    assert_eq!(stage.set_totp(&proven, &proof).await.status, 200);
    assert_eq!(stage.revoke(&revoked).await.status, 204);
    assert_eq!(
        stage
            .delete(&format!("/api/users/{bob}/sessions"))
            .await
            .status,
        204
    );
    let mut listed = stage.listed(ann).await;
    listed.sort();
    let mut lives = vec![
        refreshed.clone(),
        proven.clone(),
        kept.clone(),
        begun.clone(),
    ];
    lives.sort();
    assert_eq!(listed, lives, "listed from Redis");

    gates.qstash.fail(Verdict::Cut);
    let refused = stage.revoke(&kept).await;
    refused.assert_problem(503, "unavailable", "neither Postgres nor the queue");
    let refused = stage
        .post("/api/sessions", &Stage::login_body(ann, "s1", "t0"))
        .await;
    refused.assert_problem(503, "unavailable", "neither Postgres nor the queue");
    gates.qstash.open();

    gates.postgres.open();
    stage.0.qstash().hold(false);
    eventually("the queue has delivered", async || {
        stage.rows("public.user_sessions", &begun).await == 1
            && stage.rows("signtusk.revoked_sessions", &revoked).await == 1
            && stage.rows("signtusk.revoked_sessions", &of_bob[1]).await == 1
            && stage.get("/api/queue/stats").await.body["persist-session"]["pending"] == 0
    })
    .await;
    stage.redis(&["FLUSHALL"]).await;
    assert_eq!(stage.read(&begun).await.status, 200);
    assert_eq!(stage.read(&proven).await.body["totp"]["context"], "signing");
    assert_eq!(
        stage.refresh(&refreshed, "t2", "t3").await.body["rotated"],
        true
    );
    for id in [&revoked, &of_bob[0], &of_bob[1]] {
        assert_eq!(stage.read(id).await.status, 404);
    }
}

/// Both are lost at once: a revocation that only the queue has is not effective until persist-session has run. That is
/// the bound. Afterwards neither store shows the session or overrides newer data.
#[tokio::test]
async fn revocation_lost_with_both_stores_takes_effect_once_delivered() {
    let (stage, gates) = staged().await;
    let user = Uuid::new_v4();
    let (revoked, refreshed) = (stage.login(user).await, stage.login(user).await);
    gates.postgres.fail(Verdict::Cut);
    gates.postgres.sever();
    stage.0.qstash().hold(true);
    assert_eq!(stage.revoke(&revoked).await.status, 204);
    assert_eq!(
        stage.refresh(&refreshed, "t0", "t1").await.body["rotated"],
        true
    );
    assert_eq!(stage.read(&revoked).await.status, 404, "while Redis has it");
    stage.redis(&["FLUSHALL"]).await;
    assert_eq!(
        stage.read(&revoked).await.status,
        503,
        "the state is unknown"
    );
    gates.postgres.open();
    assert_eq!(
        stage.read(&revoked).await.status,
        200,
        "the bound: not yet delivered"
    );
    assert_eq!(stage.read(&refreshed).await.status, 200);
    stage.0.qstash().hold(false);
    eventually("it is delivered", async || {
        stage.read(&revoked).await.status == 404
    })
    .await;
    eventually("Redis has heard of the rotation", async || {
        stage.field(&refreshed, "version").await.as_deref() == Some("2")
    })
    .await;
    assert_eq!(
        stage.refresh(&refreshed, "t1", "t2").await.body["rotated"],
        true
    );
    stage.redis(&["FLUSHALL"]).await;
    assert_eq!(stage.read(&revoked).await.status, 404, "for good");
}

/// Postgres is unavailable and the queue's quota is exhausted: the caller and the person on call see which of the two
/// it is.
#[tokio::test]
async fn revocation_beyond_the_queues_quota_is_503_with_its_reason_and_raises_the_alarm() {
    let (stage, gates) = staged().await;
    let id = stage.login(Uuid::new_v4()).await;
    gates.postgres.fail(Verdict::Cut);
    gates.postgres.sever();
    let day = "ratelimit-limit: 1000\r\nratelimit-reset: 3600\r\n";
    let quotas = [
        http_answer("412 Precondition Failed", "", r#"{"error":"quota"}"#),
        http_answer("429 Too Many Requests", day, r#"{"error":"daily limit"}"#),
    ];
    for (spent, quota) in quotas.into_iter().enumerate() {
        gates.qstash.fail(quota);
        let refused = stage.revoke(&id).await;
        refused.assert_problem(503, "queue_quota_used_up", "a spent quota");
        let logs = stage.logs();
        let figures = logs
            .lines()
            .filter(|line| line.contains("\"QueueQuotaSpent\":1"));
        assert_eq!(figures.count(), spent + 1, "{logs}");
    }
    gates.qstash.fail(http_answer(
        "400 Bad Request",
        "",
        r#"{"error":"invalid message"}"#,
    ));
    let refused = stage.revoke(&id).await;
    refused.assert_problem(
        500,
        "internal",
        "a message that QStash rejects is our fault",
    );
    gates.qstash.open();
    assert_eq!(stage.revoke(&id).await.status, 204, "the same call again");
    gates.postgres.open();
    eventually("the queue has delivered", async || {
        stage.rows("signtusk.revoked_sessions", &id).await == 1
    })
    .await;
}

/// Messages arrive late, twice and out of order.
#[tokio::test]
async fn late_message_does_not_undo_newer_state() {
    let (stage, gates) = staged().await;
    let id = stage.login(Uuid::new_v4()).await;
    gates.postgres.fail(Verdict::Cut);
    gates.postgres.sever();
    stage.0.qstash().hold(true);
    stage.refresh(&id, "t0", "t1").await;
    let late: String = redis::from_redis_value({
        let ids: Vec<String> = redis::from_redis_value(
            stage
                .redis(&["LRANGE", "jobs:persist-session", "0", "0"])
                .await,
        )
        .unwrap();
        stage
            .redis(&["HGET", &format!("job:{}", ids[0]), "payload"])
            .await
    })
    .unwrap();
    let late: serde_json::Value = serde_json::from_str(&late).unwrap();
    gates.postgres.open();
    assert_eq!(stage.refresh(&id, "t1", "t2").await.body["rotated"], true);
    assert_eq!(
        stage
            .deliver_as("msg-late", "persist-session", &late)
            .await
            .status,
        200
    );
    stage.redis(&["FLUSHALL"]).await;
    assert_eq!(
        stage.refresh(&id, "t2", "t3").await.body["rotated"],
        true,
        "the newest"
    );

    assert_eq!(stage.revoke(&id).await.status, 204);
    assert_eq!(
        stage
            .deliver_as("msg-later", "persist-session", &late)
            .await
            .status,
        200
    );
    assert_eq!(stage.rows("public.user_sessions", &id).await, 0);
    stage.redis(&["FLUSHALL"]).await;
    assert_eq!(stage.read(&id).await.status, 404);
}

/// Redis is unavailable: reads and logins use Postgres; changes that Redis would undo after its return are rejected.
#[tokio::test]
async fn without_redis_sessions_are_read_and_begun_and_other_changes_refused() {
    let stage = Stage::start().await;
    let user = Uuid::new_v4();
    let id = stage.login(user).await;
    let (gone, doomed) = (stage.login(user).await, stage.login(user).await);
    assert_eq!(stage.revoke(&gone).await.status, 204);
    stage.0.redis().faults().set(Some(Fault::Refused));
    assert_eq!(stage.read(&id).await.status, 200);
    assert_eq!(stage.read(&gone).await.status, 404);
    assert_eq!(stage.listed(user).await.len(), 2);
    let begun = stage.login(user).await;
    assert_eq!(stage.read(&begun).await.status, 200);
    for refused in [
        stage.refresh(&id, "t0", "t1").await,
        stage.set_totp(&id, &json!({ "verified": false })).await,
        stage.revoke(&doomed).await,
        stage.delete(&format!("/api/users/{user}/sessions")).await,
    ] {
        refused.assert_problem(503, "unavailable", "Redis has to hear of it");
        assert!(refused.headers.contains_key("retry-after"), "{refused:?}");
    }
    stage.0.redis().faults().set(None);
    assert_eq!(stage.revoke(&doomed).await.status, 204, "asked again");
    assert_eq!(stage.refresh(&id, "t0", "t1").await.body["rotated"], true);
    assert_eq!(
        stage.refresh(&begun, "t0", "t1").await.body["rotated"],
        true
    );
    let mut listed = stage.listed(user).await;
    listed.sort();
    let mut lives = vec![id, begun];
    lives.sort();
    assert_eq!(listed, lives);
}
