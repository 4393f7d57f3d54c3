//! A session's life: its content, its duration, and its end.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::stage::Stage;
use crate::support::store::Store;

const DAY: i64 = 86_400_000;

fn millis(at: &Value) -> i64 {
    let at: Timestamp = at.as_str().unwrap().parse().unwrap();
    at.as_millisecond()
}

#[tokio::test]
async fn session_is_shown_complete_and_without_any_token() {
    let stage = Stage::start().await;
    let user = Uuid::new_v4();
    let id = stage.login(user).await;
    let read = stage.read(&id).await;
    assert_eq!(read.status, 200, "{read:?}");
    assert_eq!(read.headers["content-type"], "application/json");
    let mut session = read.body;
    for name in ["createdAt", "lastUsedAt", "expiresAt"] {
        assert!(millis(&session[name]) > 0, "{session:#}");
        session.as_object_mut().unwrap().remove(name);
    }
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0";
    let expected = json!({
        "sessionId": id,
        "userId": user,
        "email": "ann@example.com",
        "device": {
            "type": "desktop", "browser": "Firefox", "browserVersion": "132", "os": "Linux", "userAgent": agent,
        },
        "ipAddress": "192.0.2.7",
        "totp": { "verified": false },
    });
    assert_eq!(session, expected);

    let again = Stage::login_body(user, &id, "t0");
    assert_eq!(stage.post("/api/sessions", &again).await.status, 201);
    let other = Stage::login_body(user, &id, "another token");
    let refused = stage.post("/api/sessions", &other).await;
    refused.assert_problem(409, "session_exists", "another session of the same id");
    assert_eq!(stage.read("no-such-session").await.status, 404);
}

#[tokio::test]
async fn use_extends_a_session_by_seven_days_up_to_thirty() {
    let stage = Stage::start().await;
    let id = stage.login(Uuid::new_v4()).await;
    let mut before = 0;
    for (age, left) in [(0, 7), (6, 7), (12, 7), (18, 7), (24, 6), (29, 1)] {
        stage.pass_time(&id, (age - before) * DAY).await;
        before = age;
        let session = stage.read(&id).await.body;
        let span = millis(&session["expiresAt"]) - millis(&session["lastUsedAt"]);
        assert!((left * DAY - span).abs() < 60_000, "day {age}: {session:#}");
        let whole = millis(&session["expiresAt"]) - millis(&session["createdAt"]);
        assert!(whole <= 30 * DAY, "day {age}: {session:#}");
        let lives: i64 =
            redis::from_redis_value(stage.redis(&["PTTL", &format!("session:{id}")]).await)
                .unwrap();
        assert!(
            lives > 0 && lives <= 7 * DAY + 120_000,
            "day {age}: {lives}"
        );
    }
    stage.pass_time(&id, DAY + 1).await;
    assert_eq!(stage.read(&id).await.status, 404, "after thirty days");

    let idle = stage.login(Uuid::new_v4()).await;
    stage.pass_time(&idle, 7 * DAY + 60_001).await;
    assert_eq!(stage.read(&idle).await.status, 404, "after seven idle days");
}

#[tokio::test]
async fn eleventh_session_of_a_user_evicts_the_least_recently_used() {
    let stage = Stage::start().await;
    let user = Uuid::new_v4();
    let mut ids = Vec::new();
    for place in 0..10 {
        let id = stage.login(user).await;
        stage.pass_time(&id, (10 - place) * 3 * 60_000).await;
        ids.push(id);
    }
    // The first is used: the second is revoked.
    assert_eq!(stage.read(&ids[0]).await.status, 200);
    let eleventh = stage.login(user).await;
    assert_eq!(stage.read(&ids[1]).await.status, 404);
    let mut left = stage.listed(user).await;
    assert_eq!((left.len(), &left[0]), (10, &eleventh));
    ids.remove(1);
    ids.push(eleventh);
    left.sort();
    ids.sort();
    assert_eq!(left, ids);
    // Permanently: neither store restores it.
    stage.redis(&["FLUSHALL"]).await;
    assert_eq!(stage.listed(user).await.len(), 10);

    // If Redis has lost the ten, Postgres has them.
    stage.login(user).await;
    assert_eq!(stage.listed(user).await.len(), 10);
}

#[tokio::test]
async fn second_factor_has_a_context_and_an_age() {
    let stage = Stage::start().await;
    let id = stage.login(Uuid::new_v4()).await;
    let fresh = async |seconds: u32| {
        let path = format!("/api/sessions/{id}?totpMaxAge={seconds}");
        stage.get(&path).await.body["totp"]["fresh"].clone()
    };
    assert_eq!(fresh(60).await, false);
    let body = json!({ "verified": true, "context": "signing" });
    let proven = stage.set_totp(&id, &body).await;
    assert_eq!(proven.status, 200, "{proven:?}");
    let totp = &proven.body["totp"];
    assert_eq!(
        (&totp["verified"], &totp["context"]),
        (&json!(true), &json!("signing"))
    );
    assert!(millis(&totp["verifiedAt"]) > 0 && totp.get("fresh").is_none());
    assert_eq!(fresh(60).await, true);
    stage.pass_time(&id, 61_000).await;
    assert_eq!(
        (fresh(60).await, fresh(120).await),
        (json!(false), json!(true))
    );
    // It still exists after Redis is lost.
    stage.redis(&["FLUSHALL"]).await;
    assert_eq!(stage.read(&id).await.body["totp"]["context"], "signing");
    let taken = stage.set_totp(&id, &json!({ "verified": false })).await;
    assert_eq!(taken.body["totp"], json!({ "verified": false }));
    let missing = stage.set_totp(&id, &json!({ "verified": true })).await;
    missing.assert_invalid("/context", "proven for nothing");
}

#[tokio::test]
async fn daily_active_user_is_counted_once() {
    let stage = Stage::start().await;
    let user = Uuid::new_v4();
    for id in [stage.login(user).await, stage.login(user).await] {
        stage.read(&id).await;
    }
    stage.login(Uuid::new_v4()).await;
    let today = stage.read(&stage.login(user).await).await.body["createdAt"]
        .as_str()
        .unwrap()[..10]
        .to_owned();
    let key = format!("active_users:{today}");
    let count: i64 = redis::from_redis_value(stage.redis(&["SCARD", &key]).await).unwrap();
    assert_eq!(count, 2);
    let lives: i64 = redis::from_redis_value(stage.redis(&["TTL", &key]).await).unwrap();
    assert!(lives > 30 * 86_400, "{lives}");
}

#[tokio::test]
async fn session_read_from_postgres_equals_the_one_from_redis() {
    let stage = Stage::start().await;
    let id = stage.login(Uuid::new_v4()).await;
    stage
        .set_totp(&id, &json!({ "verified": true, "context": "both" }))
        .await;
    stage.refresh(&id, "t0", "t1").await;
    let strip = |mut session: Value| {
        let members = session.as_object_mut().unwrap();
        assert!(members.remove("lastUsedAt").is_some() && members.remove("expiresAt").is_some());
        session
    };
    let from_redis = strip(stage.read(&id).await.body);
    stage.redis(&["FLUSHALL"]).await;
    assert_eq!(strip(stage.read(&id).await.body), from_redis, "put back");
    stage
        .0
        .redis()
        .faults()
        .set(Some(local_redis_rest::Fault::Refused));
    let without = stage.read(&id).await;
    stage.0.redis().faults().set(None);
    assert_eq!(strip(without.body), from_redis, "without Redis");
}

/// Compares the scripts' instants with a calendar.
#[test]
fn script_timestamps_match_the_calendar() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime.block_on(Store::start());
    let prelude = include_str!("../../../shared/src/service/session/lua/session.lua");
    let script = format!(
        "{prelude}\nlocal out = {{}}\nfor _, at in ipairs(ARGV) do out[#out + 1] = stamp(tonumber(at)) end\nreturn out"
    );
    let years = proptest::collection::vec(0_i64..4_102_444_800_000, 1..200);
    proptest!(ProptestConfig::with_cases(16), |(instants in years)| {
        let mut command = redis::cmd("EVAL");
        command.arg(&script).arg(0);
        for at in instants.iter().chain(&[951_782_400_000, 951_868_799_999, 4_107_542_399_999]) {
            command.arg(*at);
        }
        let written: Vec<String> = runtime.block_on(async {
            command.query_async(&mut store.direct().await).await.unwrap()
        });
        for (at, written) in instants.iter().zip(&written) {
            let expected = format!("{:.3}", Timestamp::from_millisecond(*at).unwrap());
            prop_assert_eq!(written, &expected);
        }
    });
}
