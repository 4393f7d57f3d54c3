//! Failed attempts lock, each time for longer; a stranger cannot lock out the owner; the owner is notified once.

use http::Method;
use redis::AsyncCommands as _;
use serde_json::json;

use super::{OWNER, STRANGER, Visitor, has};
use crate::support::TestCloud;
use crate::support::cloud::{answer, with_json};
use crate::support::waiting::eventually;

const ANN: &str = "ann@example.com";

/// Ends every lock of the account, as if the time had passed.
async fn let_time_pass(cloud: &TestCloud) {
    let mut redis = cloud.redis_connection().await;
    let keys: Vec<String> = redis.keys("failed_attempts:*").await.unwrap();
    for key in keys {
        if !key.contains(":address:") {
            let _: () = redis.hdel(key, "until").await.unwrap();
        }
    }
    let locks: Vec<String> = redis.keys("lockout:*").await.unwrap();
    for lock in locks {
        let _: () = redis.del(lock).await.unwrap();
    }
}

async fn fails(cloud: &TestCloud, who: Visitor, times: usize) {
    for _ in 0..times {
        who.attempts(cloud, ANN, false).await;
    }
}

/// Defect 16: failures were read but never counted.
#[tokio::test]
async fn failed_logins_are_counted_per_kind_until_a_success() {
    let cloud = TestCloud::start().await;
    for failures in 1..=4 {
        let recorded = STRANGER.attempts(&cloud, ANN, false).await;
        assert_eq!(
            recorded.body,
            json!({ "locked": false, "failures": failures })
        );
    }
    let mut waits = Vec::new();
    for failures in 5..=8 {
        let locked = STRANGER.attempts(&cloud, ANN, false).await;
        assert_eq!(locked.body["locked"], true, "{locked:?}");
        assert_eq!(locked.body["failures"], failures, "{locked:?}");
        waits.push(locked.body["retryAfter"].as_u64().unwrap());
        // During a lock nothing counts, and a right guess does not succeed.
        let guessed = STRANGER.attempts(&cloud, "Ann@Example.com", true).await;
        assert_eq!(
            (&guessed.body["locked"], &guessed.body["failures"]),
            (&json!(true), &json!(failures))
        );
        let_time_pass(&cloud).await;
    }
    assert_eq!(waits, [30, 60, 120, 240]);
    let success = STRANGER.attempts(&cloud, ANN, true).await;
    assert_eq!(success.body, json!({ "locked": false, "failures": 0 }));
    let again = STRANGER.attempts(&cloud, ANN, false).await;
    assert_eq!(
        again.body,
        json!({ "locked": false, "failures": 1 }),
        "a success resets"
    );
    let other = cloud
        .post(
            "/api/security/attempts",
            &STRANGER.body(&json!({ "kind": "totp", "identifier": ANN, "success": false })),
        )
        .await;
    assert_eq!(other.body["failures"], 1, "another kind counts by itself");
}

#[tokio::test]
async fn stranger_does_not_lock_out_a_device_known_to_the_account() {
    let cloud = TestCloud::start().await;
    OWNER.attempts(&cloud, ANN, true).await;
    let home = Visitor {
        device: None,
        ..OWNER
    };
    home.attempts(&cloud, ANN, true).await;

    // From many addresses, until the account is locked for strangers; and from the owner's own.
    for ip in [
        "198.51.100.1",
        "198.51.100.2",
        "198.51.100.3",
        "198.51.100.4",
        "198.51.100.5",
        OWNER.ip,
    ] {
        fails(&cloud, Visitor { ip, ..STRANGER }, 6).await;
    }
    let new = Visitor {
        ip: "192.0.2.200",
        ..STRANGER
    };
    assert_eq!(new.attempts(&cloud, ANN, false).await.body["locked"], true);
    let assessed = new.assessed(&cloud, ANN).await;
    assert_eq!(assessed["verdict"], "deny", "{assessed}");
    assert!(
        has(&assessed, "locked-out") && has(&assessed, "new-device"),
        "{assessed}"
    );

    for known in [OWNER, home] {
        let assessed = known.assessed(&cloud, ANN).await;
        assert!(!has(&assessed, "locked-out"), "{assessed}");
        let recorded = known.attempts(&cloud, ANN, true).await;
        assert_eq!(recorded.body, json!({ "locked": false, "failures": 0 }));
    }
    // A known device is locked only by its own failures.
    fails(&cloud, OWNER, 4).await;
    assert_eq!(
        OWNER.attempts(&cloud, ANN, false).await.body["locked"],
        true
    );
    assert_eq!(home.attempts(&cloud, ANN, true).await.body["locked"], false);
}

#[tokio::test]
async fn owner_is_mailed_once_about_a_lockout_and_a_new_device() {
    let cloud = TestCloud::start().await;
    OWNER.attempts(&cloud, ANN, true).await;
    OWNER.attempts(&cloud, ANN, true).await;
    for ip in ["198.51.100.1", "198.51.100.2", "198.51.100.3"] {
        fails(&cloud, Visitor { ip, ..STRANGER }, 8).await;
        let_time_pass(&cloud).await;
    }
    STRANGER.attempts(&cloud, ANN, true).await;
    STRANGER.attempts(&cloud, ANN, true).await;

    eventually("two mails went, and no sweep was waited for", async || {
        cloud.mails().get(ANN).copied() == Some(2)
    })
    .await;
    let swept = cloud.deliver("relay-outbox", &json!({})).await;
    assert_eq!(swept.status, 200, "{swept:?}");
    let mails = cloud.mail().messages(Some(ANN));
    assert_eq!(mails.len(), 2, "{mails:?}");
    let texts: Vec<&str> = mails.iter().map(|mail| mail.text.as_str()).collect();
    assert!(
        texts.iter().any(|text| text.contains("198.51.100.1")),
        "{texts:?}"
    );
    assert!(
        texts.iter().any(|text| text.contains("Chrome on Windows")),
        "{texts:?}"
    );
}

#[tokio::test]
async fn address_with_many_failures_cannot_continue_guessing_tokens() {
    let cloud = TestCloud::start().await;
    // Fifty failures over accounts, of which none is locked itself.
    for account in 0..50 {
        let account = format!("user-{account}@example.com");
        STRANGER.attempts(&cloud, &account, false).await;
    }
    let guess = json!({ "purpose": "password-reset", "token": "a guess" });
    let redeem = || with_json(cloud.request(Method::POST, "/api/tokens/redeem"), &guess);
    let locked = answer(redeem().header("x-client-ip", STRANGER.ip)).await;
    locked.assert_problem(429, "locked_out", "guessing from the same address");
    assert!(locked.headers.contains_key("retry-after"));
    let elsewhere = answer(redeem().header("x-client-ip", OWNER.ip)).await;
    assert_ne!(elsewhere.status, 429, "{elsewhere:?}");
    // A signed-in caller is not affected.
    let signed_in = redeem().header("x-client-ip", STRANGER.ip);
    let signed_in = answer(signed_in.header("x-user-id", "ann")).await;
    assert_ne!(signed_in.status, 429, "{signed_in:?}");
}
