//! The script with which the web app reads sessions itself. tests/sdk/redis/session.test.js shows with the official
//! client that both agree.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use shared::base::clock::Clock;
use shared::protocol::upstash::{Reply, Script};
use shared::service::session::DIRECT_READ;
use uuid::Uuid;

use super::stage::Stage;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../clients/session.lua");

static READ: Script = Script::repeatable(DIRECT_READ);

/// Makes a direct read that also names the sets of these days.
async fn naming(stage: &Stage, id: &str, days: &[Date]) -> Reply {
    let days = days.iter().map(|day| format!("active_users:{day}"));
    let call = READ.invoke().key(format!("session:{id}")).keys(days);
    stage.redis_client().eval(call).await.unwrap()
}

/// Makes a direct read as the web app does.
async fn direct(stage: &Stage, id: &str) -> Reply {
    let today = today();
    naming(stage, id, &[today, today.yesterday().unwrap()]).await
}

fn today() -> Date {
    Clock::system()
        .now()
        .to_zoned_datetime(TimeZone::UTC)
        .date()
}

fn is_session(reply: &Reply) -> bool {
    matches!(reply, Reply::Bytes(_))
}

#[test]
fn file_for_the_web_app_is_the_script_that_the_api_runs() {
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
async fn direct_read_defers_to_the_api_where_only_the_api_can_answer() {
    let stage = Stage::start().await;
    let id = stage.login(Uuid::new_v4()).await;
    assert!(is_session(&direct(&stage, &id).await));
    assert_eq!(direct(&stage, "unknown").await, Reply::Nil);
    let left: i64 =
        redis::from_redis_value(stage.redis(&["EXISTS", "session:unknown"]).await).unwrap();
    assert_eq!(left, 0, "a direct read leaves nothing behind");

    // Once an hour the last use must reach Postgres.
    stage.pass_time(&id, 3_600_001).await;
    assert_eq!(direct(&stage, &id).await, Reply::Nil);
    assert_eq!(stage.read(&id).await.status, 200);
    assert!(is_session(&direct(&stage, &id).await));

    assert_eq!(stage.revoke(&id).await.status, 204);
    assert_eq!(direct(&stage, &id).await, Reply::Integer(0));
}

#[tokio::test]
async fn first_use_of_a_day_is_counted_if_its_set_is_named_else_left_to_the_api() {
    let stage = Stage::start().await;
    let user = Uuid::new_v4();
    let id = stage.login(user).await;
    let key = format!("session:{id}");
    let set = format!("active_users:{}", today());
    let user = user.to_string();
    let day_begins = async || {
        stage.redis(&["HSET", &key, "activeOn", "2026-01-01"]).await;
        stage.redis(&["SREM", &set, &user]).await;
    };
    let is_noted = async || {
        let noted: i64 =
            redis::from_redis_value(stage.redis(&["SISMEMBER", &set, &user]).await).unwrap();
        noted == 1
    };

    // The call of the previous release: it works on the recorded day, and requires the API on a new one.
    assert!(is_session(&naming(&stage, &id, &[]).await));
    day_begins().await;
    assert_eq!(naming(&stage, &id, &[]).await, Reply::Nil);
    assert!(!is_noted().await);
    assert_eq!(stage.read(&id).await.status, 200);
    assert!(is_noted().await, "the API notes it");
    assert!(is_session(&naming(&stage, &id, &[]).await));

    // A clock on another day than Redis's: the session is read, and a later read records the day.
    day_begins().await;
    let yesterday = today().yesterday().unwrap();
    let behind = [yesterday, yesterday.yesterday().unwrap()];
    assert!(is_session(&naming(&stage, &id, &behind).await));
    assert!(!is_noted().await);
    let ahead = [today().tomorrow().unwrap(), today()];
    assert!(is_session(&naming(&stage, &id, &ahead).await));
    assert!(is_noted().await);
}
