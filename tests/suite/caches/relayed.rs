//! The web app's UPDATE and a cached read, through the triggers and the real relay-outbox.

use http::Method;
use serde_json::json;
use shared::service::cache::AnyKind;

use super::{DOMAIN, OWNER, REQUEST, came_from, cloud, known, path};
use crate::outbox::{ping, result};
use crate::support::cloud::{answer, with_json};
use crate::support::ledger::LedgerDatabase;
use crate::support::waiting::eventually;

/// A change of the web app, the entry with it, its path, and the expected value.
const CHANGES: [(&str, &str, &str, &str, &str); 3] = [
    (
        "update public.user_profiles set full_name = 'Olivia Changed'",
        "user-profiles",
        OWNER,
        "/fullName",
        "\"Olivia Changed\"",
    ),
    (
        "update public.user_totp_configs set enabled = false",
        "totp-configs",
        OWNER,
        "/enabled",
        "false",
    ),
    (
        "update public.signing_request_signers set status = 'signed' where signing_order = 1",
        "document-status",
        REQUEST,
        "/progress/signed",
        "1",
    ),
];

#[tokio::test]
async fn web_app_change_is_visible_after_its_ping() {
    let cloud = cloud().await;
    let database = LedgerDatabase::of(&cloud);
    for (n, (change, kind, id, pointer, expected)) in CHANGES.into_iter().enumerate() {
        let path = path(kind, id);
        cloud.get(&path).await;
        let before = cloud.get(&path).await;
        assert_eq!(came_from(&before), "HIT", "{path}");
        database.execute(change).await;
        let swept = ping(&cloud, &format!("msg_{n}")).await;
        assert_eq!(result(&swept)["setAside"], 0, "{swept:?}");
        let after = cloud.get(&path).await;
        assert_eq!(came_from(&after), "MISS", "{change}");
        let shown = after.body.pointer(pointer).unwrap().to_string();
        assert_eq!(shown, expected, "{change}");
        assert_ne!(after.body, before.body);
    }
    let again = ping(&cloud, "msg_again").await;
    assert_eq!(
        result(&again)["done"],
        0,
        "each row is done once: {again:?}"
    );
    assert_eq!(
        came_from(&cloud.get(&path("totp-configs", OWNER)).await),
        "HIT"
    );
}

#[tokio::test]
async fn change_without_a_ping_is_visible_within_the_sweep_interval() {
    // Five minutes of the queue's clock.
    let cloud = super::cloud_with(|settings| settings.qstash_speed = 300.0).await;
    let schedules = cloud.request(Method::PUT, "/api/queue/schedules");
    let set = answer(with_json(schedules, &json!({}))).await;
    assert_eq!(set.status, 200, "{set:?}");
    let path = path("domain-settings", DOMAIN);
    assert_eq!(cloud.get(&path).await.body["enforceTotp"], true);
    let change = "update public.domain_settings set enforce_totp = false";
    LedgerDatabase::of(&cloud).execute(change).await;
    eventually("the change is seen", async || {
        cloud.get(&path).await.body["enforceTotp"] == json!(false)
    })
    .await;
}

#[tokio::test]
async fn invalidation_refused_by_redis_waits_and_is_not_lost() {
    let cloud = cloud().await;
    let database = LedgerDatabase::of(&cloud);
    let path = path("user-profiles", OWNER);
    cloud.get(&path).await;
    database
        .execute("update public.user_profiles set full_name = 'Olivia Changed'")
        .await;
    // Only the deletion fails: the claim of the job succeeds.
    let mut redis = cloud.redis_connection().await;
    let rename = redis::cmd("ACL")
        .arg(&["SETUSER", "default", "-del"])
        .exec_async(&mut redis)
        .await;
    rename.unwrap();
    let refused = ping(&cloud, "msg_refused").await;
    assert_ne!(refused.status, 200, "{refused:?}");
    redis::cmd("ACL")
        .arg(&["SETUSER", "default", "+del"])
        .exec_async(&mut redis)
        .await
        .unwrap();
    let swept = ping(&cloud, "msg_later").await;
    assert!(result(&swept)["done"].as_u64() > Some(0), "{swept:?}");
    assert_eq!(cloud.get(&path).await.body["fullName"], "Olivia Changed");
}

#[tokio::test]
async fn unknown_rows_do_not_block_others() {
    let cloud = cloud().await;
    let database = LedgerDatabase::of(&cloud);
    let settings = AnyKind::named("domain-settings").unwrap();
    let path = path(settings.name(), known(settings));
    cloud.get(&path).await;
    database
        .execute(
            "insert into signtusk.outbox (kind, payload) values ('invalidation', '{}'),
               ('invalidation', '{\"kinds\": [\"of tomorrow\"], \"ids\": [\"x\"]}');
             update public.domain_settings set enforce_totp = false",
        )
        .await;
    let swept = ping(&cloud, "msg_1").await;
    assert_eq!(result(&swept)["done"], 3, "{swept:?}");
    assert_eq!(cloud.get(&path).await.body["enforceTotp"], false);
}
