//! The rules of refresh tokens, one by one.

use uuid::Uuid;

use super::stage::Stage;
use crate::support::cloud::Answer;

#[track_caller]
fn assert_rotated(answer: &Answer, rotated: bool, why: &str) {
    assert_eq!(answer.status, 200, "{why}: {answer:?}");
    assert_eq!(answer.body["rotated"], rotated, "{why}");
}

#[tokio::test]
async fn previous_token_is_accepted_for_ten_seconds_and_then_revokes_the_session() {
    let stage = Stage::start().await;
    let id = stage.login(Uuid::new_v4()).await;
    assert_rotated(
        &stage.refresh(&id, "t0", "t1").await,
        true,
        "the present one",
    );
    assert_rotated(&stage.refresh(&id, "t0", "t2").await, false, "as quick");
    assert_rotated(
        &stage.refresh(&id, "t0", "t1").await,
        true,
        "the same call again",
    );
    stage.pass_time(&id, 9_000).await;
    assert_rotated(
        &stage.refresh(&id, "t0", "t3").await,
        false,
        "nine seconds later",
    );
    let lost = stage.refresh(&id, "t2", "t4").await;
    lost.assert_problem(
        401,
        "refresh_token_invalid",
        "a discarded token was never valid",
    );
    assert_eq!(stage.read(&id).await.status, 200, "nonsense costs nothing");
    stage.pass_time(&id, 2_000).await;
    let late = stage.refresh(&id, "t0", "t5").await;
    late.assert_problem(401, "refresh_token_reused", "eleven seconds later");
    assert_eq!(stage.read(&id).await.status, 404, "revoked");
    let again = stage.refresh(&id, "t0", "t5").await;
    again.assert_problem(401, "refresh_token_reused", "the same call again");
    assert_eq!(
        stage.refresh(&id, "t1", "t6").await.status,
        404,
        "for its owner, too"
    );
    stage.redis(&["FLUSHALL"]).await;
    assert_eq!(stage.read(&id).await.status, 404, "for good");
}

#[tokio::test]
async fn older_token_revokes_the_session_even_within_the_grace_period() {
    let stage = Stage::start().await;
    let id = stage.login(Uuid::new_v4()).await;
    for (given, next) in [("t0", "t1"), ("t1", "t2"), ("t2", "t3")] {
        assert_rotated(&stage.refresh(&id, given, next).await, true, given);
    }
    let older = stage.refresh(&id, "t1", "t4").await;
    older.assert_problem(401, "refresh_token_reused", "two before");
    assert_eq!(stage.read(&id).await.status, 404);
}

#[tokio::test]
async fn already_rotated_token_is_refused_as_the_new_token() {
    let stage = Stage::start().await;
    let id = stage.login(Uuid::new_v4()).await;
    assert_rotated(&stage.refresh(&id, "t0", "t1").await, true, "first");
    for next in ["t0", "t1"] {
        let refused = stage.refresh(&id, "t1", next).await;
        refused.assert_invalid("/newRefreshToken", next);
    }
    assert_rotated(&stage.refresh(&id, "t1", "t2").await, true, "a fresh one");
}

#[tokio::test]
async fn reuse_is_distinguished_from_an_unknown_token_after_redis_loss() {
    let stage = Stage::start().await;
    let id = stage.login(Uuid::new_v4()).await;
    for place in 0..70 {
        let (given, next) = (format!("t{place}"), format!("t{}", place + 1));
        assert_rotated(&stage.refresh(&id, &given, &next).await, true, &given);
    }
    stage.redis(&["FLUSHALL"]).await;
    let forgotten = stage.refresh(&id, "t3", "x").await;
    forgotten.assert_problem(401, "refresh_token_invalid", "more than 64 before");
    let kept = stage.field(&id, "rotated").await.unwrap();
    assert_eq!(kept.len(), 64 * 32, "bounded");
    let known = stage.refresh(&id, "t7", "x").await;
    known.assert_problem(401, "refresh_token_reused", "63 before");
    assert_eq!(stage.read(&id).await.status, 404);
}

#[tokio::test]
async fn rotation_lost_by_redis_logs_no_user_out() {
    let stage = Stage::start().await;
    let id = stage.login(Uuid::new_v4()).await;
    let key = format!("session:{id}");
    let before: Vec<u8> = redis::from_redis_value(stage.redis(&["DUMP", &key]).await).unwrap();
    assert_rotated(&stage.refresh(&id, "t0", "t1").await, true, "first");
    // A failover to a replica that did not have it.
    stage.redis(&["DEL", &key]).await;
    let mut connection = stage.redis_connection().await;
    let restored: () = redis::cmd("RESTORE")
        .arg(&key)
        .arg(600_000)
        .arg(before)
        .query_async(&mut connection)
        .await
        .unwrap();
    let () = restored;
    assert_rotated(&stage.refresh(&id, "t1", "t2").await, true, "its successor");
}
