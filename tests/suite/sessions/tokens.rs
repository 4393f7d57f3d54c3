//! One-time tokens, and codes that must not be used twice.

use http::Method;
use local_redis_rest::Fault;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer, with_json};

const VERIFY: &str = "email-verification";
const RESET: &str = "password-reset";

async fn issue(cloud: &TestCloud, purpose: &str, email: &str) -> String {
    let body = json!({ "purpose": purpose, "email": email });
    let issued = cloud.post("/api/tokens", &body).await;
    assert_eq!(issued.status, 201, "{issued:?}");
    assert!(issued.body["expiresAt"].is_string(), "{issued:?}");
    let token = issued.body["token"].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 43, "256 bits");
    token
}

async fn redeem(cloud: &TestCloud, purpose: &str, token: &str) -> Answer {
    let body = json!({ "purpose": purpose, "token": token });
    cloud.post("/api/tokens/redeem", &body).await
}

async fn claim(cloud: &TestCloud, user: Uuid, code: &str) -> Answer {
    let body = json!({ "userId": user, "code": code });
    cloud.post("/api/totp/claims", &body).await
}

/// Defect 17: the guard against replays read, then wrote.
#[tokio::test]
async fn token_is_redeemed_once_by_concurrent_callers() {
    let cloud = TestCloud::start().await;
    let token = issue(&cloud, VERIFY, "ann@example.com").await;
    let asked = (0..8).map(|_| redeem(&cloud, VERIFY, &token));
    let answers = futures_util::future::join_all(asked).await;
    let successes: Vec<&Answer> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .collect();
    assert_eq!(successes.len(), 1, "{answers:?}");
    assert_eq!(successes[0].body, json!({ "email": "ann@example.com" }));
    let late = redeem(&cloud, VERIFY, &token).await;
    late.assert_problem(404, "token_not_found", "again");
}

#[tokio::test]
async fn address_has_one_token_for_each_purpose() {
    let cloud = TestCloud::start().await;
    let first = issue(&cloud, VERIFY, "ann@example.com").await;
    let reset = issue(&cloud, RESET, "ann@example.com").await;
    let other = issue(&cloud, VERIFY, "bob@example.com").await;
    let second = issue(&cloud, VERIFY, "Ann@example.com").await;
    assert_eq!(
        redeem(&cloud, VERIFY, &first).await.status,
        404,
        "cancelled"
    );
    assert_eq!(
        redeem(&cloud, VERIFY, &reset).await.status,
        404,
        "another purpose"
    );
    for (purpose, token) in [(VERIFY, &second), (RESET, &reset), (VERIFY, &other)] {
        assert_eq!(
            redeem(&cloud, purpose, token).await.status,
            200,
            "{purpose}"
        );
    }
}

/// Defect 50: values that look like JSON or are falsy came back as null, or not at all.
#[tokio::test]
async fn token_returns_its_address_unchanged_even_if_it_looks_like_json() {
    let cloud = TestCloud::start().await;
    for email in [
        "123@example.com",
        "true@example.com",
        "0@0.example",
        "null@example.com",
        "{}@example.com",
    ] {
        let token = issue(&cloud, RESET, email).await;
        let redeemed = redeem(&cloud, RESET, &token).await;
        assert_eq!(redeemed.body["email"], email, "{redeemed:?}");
    }
}

#[tokio::test]
async fn redis_holds_no_plain_token() {
    let cloud = TestCloud::start().await;
    let token = issue(&cloud, RESET, "ann@example.com").await;
    let mut redis = cloud.redis_connection().await;
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg("*")
        .query_async(&mut redis)
        .await
        .unwrap();
    assert!(
        keys.iter().any(|key| key.starts_with("password_reset:")),
        "{keys:?}"
    );
    for key in keys {
        assert!(!key.contains(&token), "{key}");
        let life: i64 = redis::cmd("PTTL")
            .arg(&key)
            .query_async(&mut redis)
            .await
            .unwrap();
        // The limiters' figures are kept for eight days; all token keys, for one.
        let longest: i64 = if key.starts_with("rate_limit") {
            8 * 86_400_000
        } else {
            86_400_000
        };
        assert!((1..=longest).contains(&life), "{key}: {life}");
        let dump: Vec<u8> = redis::cmd("DUMP")
            .arg(&key)
            .query_async(&mut redis)
            .await
            .unwrap();
        assert!(!String::from_utf8_lossy(&dump).contains(&token), "{key}");
    }
}

#[tokio::test]
async fn lost_answer_neither_loses_nor_duplicates_a_token() {
    let cloud = TestCloud::start().await;
    issue(&cloud, VERIFY, "taught@example.com").await;
    cloud.redis().faults().set_for_next(1, Fault::CutAnswer);
    let token = issue(&cloud, VERIFY, "ann@example.com").await;
    redeem(&cloud, VERIFY, "unknown").await;
    cloud.redis().faults().set_for_next(1, Fault::CutAnswer);
    assert_eq!(
        redeem(&cloud, VERIFY, &token).await.status,
        200,
        "the first time"
    );
    assert_eq!(redeem(&cloud, VERIFY, &token).await.status, 404, "again");
    let user = Uuid::new_v4();
    cloud.redis().faults().set_for_next(1, Fault::CutAnswer);
    assert_eq!(
        claim(&cloud, user, "123456").await.status,
        201,
        "the first time"
    );
    assert_eq!(claim(&cloud, user, "123456").await.status, 409, "again");
}

/// Defect 16: the guard was never called, and read before it wrote.
#[tokio::test]
async fn code_is_claimed_once_in_any_spelling_by_concurrent_callers() {
    let cloud = TestCloud::start().await;
    let user = Uuid::new_v4();
    let asked = ["123456", "123 456", "123-456", " 123456"];
    let answers = futures_util::future::join_all(asked.map(|code| claim(&cloud, user, code))).await;
    let statuses: Vec<u16> = answers
        .iter()
        .map(|answer| answer.status.as_u16())
        .collect();
    let first = statuses.iter().filter(|status| **status == 201);
    assert_eq!(first.count(), 1, "{answers:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 3);
    assert_eq!(
        claim(&cloud, Uuid::new_v4(), "123456").await.status,
        201,
        "another user's"
    );
    assert_eq!(
        claim(&cloud, user, "123457").await.status,
        201,
        "another code"
    );
    claim(&cloud, user, "12:456")
        .await
        .assert_invalid("/code", "no code");

    let other = answer(with_json(
        cloud
            .request(Method::POST, "/api/totp/claims")
            .header("x-user-id", "bob"),
        &json!({ "userId": user, "code": "999999" }),
    ));
    other
        .await
        .assert_problem(403, "user_differs", "a code of another");
}

#[tokio::test]
async fn without_redis_no_token_is_issued_redeemed_or_claimed() {
    let cloud = TestCloud::start().await;
    let token = issue(&cloud, VERIFY, "ann@example.com").await;
    cloud.redis().faults().set(Some(Fault::Refused));
    let body: Value = json!({ "purpose": VERIFY, "email": "ann@example.com" });
    assert_eq!(cloud.post("/api/tokens", &body).await.status, 503);
    assert_eq!(redeem(&cloud, VERIFY, &token).await.status, 503);
    assert_eq!(claim(&cloud, Uuid::new_v4(), "123456").await.status, 503);
    cloud.redis().faults().set(None);
    assert_eq!(redeem(&cloud, VERIFY, &token).await.status, 200);
}

/// Runs a script of the tokens directly, as the client does after a lost response.
async fn issue_by_script(cloud: &TestCloud, name: &str) -> i64 {
    let prefix = "email_verify:";
    let mut redis = cloud.redis_connection().await;
    redis::cmd("EVAL")
        .arg(include_str!(
            "../../../shared/src/service/token/lua/issue.lua"
        ))
        .arg(2)
        .arg(format!("{prefix}{name}"))
        .arg("one_time_token:email-verification:ann")
        .arg("ann@example.com")
        .arg(86_400_000)
        .arg(prefix)
        .arg(name)
        .arg(60_000)
        .query_async(&mut redis)
        .await
        .unwrap()
}

#[tokio::test]
async fn repeated_request_for_a_token_does_not_cancel_a_later_token() {
    let cloud = TestCloud::start().await;
    let first = issue_by_script(&cloud, "first").await;
    issue_by_script(&cloud, "second").await;
    assert_eq!(
        issue_by_script(&cloud, "first").await,
        first,
        "the first answer"
    );
    let mut redis = cloud.redis_connection().await;
    let mut fields = async |name: &str| -> Option<String> {
        let key = format!("email_verify:{name}");
        redis::cmd("HGET")
            .arg(key)
            .arg("email")
            .query_async(&mut redis)
            .await
            .unwrap()
    };
    assert_eq!(fields("second").await.as_deref(), Some("ann@example.com"));
    assert_eq!(fields("first").await, None, "it is cancelled");
    let life: i64 = redis::cmd("PTTL")
        .arg("email_verify:first")
        .query_async(&mut redis)
        .await
        .unwrap();
    assert!((1..=60_000).contains(&life), "{life}");
}

#[tokio::test]
async fn repeated_proof_of_a_second_factor_does_not_undo_a_later_one() {
    let cloud = TestCloud::start().await;
    let user = Uuid::new_v4();
    let login = json!({ "sessionId": "s-1", "userId": user, "email": "ann@example.com", "refreshToken": "t0" });
    assert_eq!(cloud.post("/api/sessions", &login).await.status, 201);
    let source = concat!(
        include_str!("../../../shared/src/service/session/lua/session.lua"),
        include_str!("../../../shared/src/service/session/lua/totp.lua")
    );
    let mut redis = cloud.redis_connection().await;
    let mut version = 0;
    for (attempt, context) in [("a", "login"), ("b", ""), ("a", "login"), ("b", "")] {
        let attempt = attempt.repeat(32);
        let answer: Vec<String> = redis::cmd("EVAL")
            .arg(source)
            .arg(1)
            .arg("session:s-1")
            .arg(attempt)
            .arg(context)
            .arg("")
            .arg("")
            .query_async(&mut redis)
            .await
            .unwrap();
        assert_eq!(answer[0], "done");
        let now: i64 = redis::cmd("HGET")
            .arg("session:s-1")
            .arg("version")
            .query_async(&mut redis)
            .await
            .unwrap();
        version = version.max(now);
    }
    assert_eq!(version, 3, "two changes after the login");
    let read = cloud.get("/api/sessions/s-1").await;
    assert_eq!(read.body["totp"]["verified"], false, "{read:?}");
}
