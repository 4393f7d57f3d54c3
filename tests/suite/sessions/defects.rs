//! The original's defects in sessions, each as something that must not happen. The numbers are those of its list of
//! defects; those of races (20) and of codes and tokens (16, 50) are in other files here.

use local_redis_rest::Fault;
use shared::protocol::postgres::column;
use uuid::Uuid;

use super::stage::Stage;

/// Defect 18: personal data stayed in Redis for seven days after the logout.
#[tokio::test]
async fn personal_data_does_not_stay_in_redis_after_logout() {
    let stage = Stage::start().await;
    let user = Uuid::new_v4();
    let id = stage.login(user).await;
    stage.refresh(&id, "t0", "t1").await;
    assert_eq!(stage.revoke(&id).await.status, 204);
    let key = format!("session:{id}");
    let left: Vec<String> = redis::from_redis_value(stage.redis(&["HKEYS", &key]).await).unwrap();
    assert_eq!(left, ["revokedAt"]);
    let index: Vec<String> = redis::from_redis_value(
        stage
            .redis(&["HKEYS", &format!("user_sessions:{user}")])
            .await,
    )
    .unwrap();
    assert_eq!(index, [""; 0]);
    assert_eq!(stage.rows("public.user_sessions", &id).await, 0);
}

/// Defect 19: revoking read the session back from the database and cached it for seven days.
#[tokio::test]
async fn revoked_session_is_not_restored_by_later_reads() {
    let stage = Stage::start().await;
    let id = stage.login(Uuid::new_v4()).await;
    assert_eq!(stage.revoke(&id).await.status, 204);
    for why in [
        "at once",
        "again",
        "after Redis was lost",
        "again after that",
    ] {
        stage
            .read(&id)
            .await
            .assert_problem(404, "session_not_found", why);
        if why == "again" {
            stage.redis(&["FLUSHALL"]).await;
        }
    }
    assert_eq!(stage.revoke(&id).await.status, 204, "idempotent");
}

/// Defect 21: the set of a user's sessions expired before them, so that revoking all missed some, and its dead ids
/// stayed.
#[tokio::test]
async fn revoking_all_includes_sessions_missing_from_the_index() {
    let stage = Stage::start().await;
    let user = Uuid::new_v4();
    let kept = stage.login(user).await;
    let others = [stage.login(user).await, stage.login(user).await];
    let index = format!("user_sessions:{user}");
    let life: i64 = redis::from_redis_value(stage.redis(&["PTTL", &index]).await).unwrap();
    assert!(life > 30 * 86_400_000, "longer than any session: {life}");
    stage.redis(&["DEL", &index]).await;
    let path = format!("/api/users/{user}/sessions?except={kept}");
    assert_eq!(stage.delete(&path).await.status, 204);
    for id in &others {
        assert_eq!(stage.read(id).await.status, 404);
    }
    assert_eq!(stage.read(&kept).await.status, 200);
    assert_eq!(stage.listed(user).await, [kept.as_str()]);

    // The next login removes dead ids.
    stage.redis(&["HSET", &index, "long-dead", ""]).await;
    stage.login(user).await;
    let there: Option<String> =
        redis::from_redis_value(stage.redis(&["HGET", &index, "long-dead"]).await).unwrap();
    assert_eq!(there, None);
}

/// Defect 22: reads that Redis answered never reached the database, whose daily clean-up then ended sessions in use.
#[tokio::test]
async fn used_session_is_not_idle_in_postgres_and_written_hourly_at_most() {
    let stage = Stage::start().await;
    let id = stage.login(Uuid::new_v4()).await;
    let owner = stage.owner();
    let age = async || {
        let sql = format!(
            "select extract(epoch from now() - last_used_at)::bigint as age, xmin::text as written \
             from public.user_sessions where session_id = '{id}'"
        );
        let rows = owner.query(&sql, &[]).await.unwrap();
        let age: i64 = column(&rows[0], "age").unwrap();
        let written: String = column(&rows[0], "written").unwrap();
        (age, written)
    };
    let back = "update public.user_sessions set last_used_at = now() - interval '7 days' + interval '1 minute'";
    owner.batch(back).await.unwrap();
    stage.pass_time(&id, 59 * 60_000).await;
    stage.read(&id).await;
    assert!(age().await.0 > 86_400, "not within the hour");
    stage.pass_time(&id, 2 * 60_000).await;
    stage.read(&id).await;
    let (seconds, written) = age().await;
    assert!(seconds < 60, "{seconds}");
    for _ in 0..5 {
        stage.pass_time(&id, 10 * 60_000).await;
        stage.read(&id).await;
    }
    assert_eq!(age().await.1, written, "once an hour");
}

/// Defect 23: errors of the database were returned instead of thrown, and were ignored.
#[tokio::test]
async fn change_that_neither_postgres_nor_the_queue_stored_is_answered_503() {
    let stage = Stage::start_with(|settings| {
        let nowhere = [
            ("DATABASE_URL", "postgres://nobody:none@127.0.0.1:9/none"),
            ("QSTASH_URL", "http://127.0.0.1:9"),
        ];
        let named = nowhere.map(|(name, value)| (name.to_owned(), value.to_owned()));
        settings.overrides.extend(named);
    })
    .await;
    let user = Uuid::new_v4();
    let refused = stage
        .post("/api/sessions", &Stage::login_body(user, "s1", "t0"))
        .await;
    refused.assert_problem(503, "unavailable", "a login");
    let left: i64 = redis::from_redis_value(stage.redis(&["EXISTS", "session:s1"]).await).unwrap();
    assert_eq!(left, 0, "an unstored session does not exist");
    for refused in [
        stage.revoke("s1").await,
        stage.delete(&format!("/api/users/{user}/sessions")).await,
    ] {
        refused.assert_problem(503, "unavailable", "a revocation");
    }
}

/// Defect 24: logging out other devices used columns of another table.
#[tokio::test]
async fn revoking_other_sessions_keeps_this_one_and_those_of_other_users() {
    let stage = Stage::start().await;
    let (user, other) = (Uuid::new_v4(), Uuid::new_v4());
    let mine = [
        stage.login(user).await,
        stage.login(user).await,
        stage.login(user).await,
    ];
    let theirs = stage.login(other).await;
    let path = format!("/api/users/{user}/sessions");
    let list = stage.get(&format!("{path}?current={}", mine[1])).await.body;
    let current: Vec<bool> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["current"].as_bool().unwrap() == (item["sessionId"] == mine[1].as_str()))
        .collect();
    assert_eq!(current, [true; 3], "{list:#}");
    assert_eq!(
        stage
            .delete(&format!("{path}?except={}", mine[1]))
            .await
            .status,
        204
    );
    for why in ["at once", "after Redis was lost"] {
        assert_eq!(stage.listed(user).await, [mine[1].as_str()], "{why}");
        assert_eq!(stage.read(&mine[0]).await.status, 404, "{why}");
        assert_eq!(stage.read(&theirs).await.status, 200, "{why}");
        stage.redis(&["FLUSHALL"]).await;
    }
    // A call that names an ended, foreign or unknown session changes nothing.
    for unknown in [&mine[0], &theirs, &Uuid::new_v4().to_string()] {
        let refused = stage.delete(&format!("{path}?except={unknown}")).await;
        refused.assert_problem(404, "session_unknown", unknown);
        assert_eq!(stage.listed(user).await, [mine[1].as_str()]);
    }
}

/// Each change has the same result when it is repeated after a lost response.
#[tokio::test]
async fn lost_answer_changes_nothing_twice() {
    let stage = Stage::start().await;
    let user = Uuid::new_v4();
    let warm_up = stage.login(user).await;
    stage.refresh(&warm_up, "t0", "t1").await;
    stage.revoke(&warm_up).await;
    let faults = stage.0.redis().faults();
    faults.set_for_next(1, Fault::CutAnswer);
    let id = stage.login(user).await;
    faults.set_for_next(1, Fault::CutAnswer);
    assert_eq!(stage.refresh(&id, "t0", "t1").await.body["rotated"], true);
    assert_eq!(
        stage.field(&id, "version").await.unwrap(),
        "2",
        "rotated once"
    );
    faults.set_for_next(1, Fault::CutAnswer);
    assert_eq!(stage.revoke(&id).await.status, 204);
    assert_eq!(stage.read(&id).await.status, 404);
}
