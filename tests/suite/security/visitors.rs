//! The assessment of visitors.

use serde_json::json;

use super::{OWNER, STRANGER, Visitor, has};
use crate::support::TestCloud;

#[tokio::test]
async fn missing_or_scripted_user_agent_is_challenged_and_a_browser_is_not() {
    let cloud = TestCloud::start().await;
    let ordinary = OWNER.assessed(&cloud, "ann@example.com").await;
    assert_eq!(
        ordinary,
        json!({ "verdict": "allow", "score": 0, "reasons": [] })
    );
    for (agent, reason) in [
        ("", "user-agent-empty"),
        ("python-requests/2.32", "user-agent-scripted"),
        (
            "Googlebot/2.1 (+http://www.google.com/bot.html)",
            "user-agent-bot",
        ),
    ] {
        let seen = Visitor { agent, ..OWNER }
            .assessed(&cloud, "ann@example.com")
            .await;
        assert_eq!(
            seen,
            json!({ "verdict": "challenge", "score": 40, "reasons": [reason] })
        );
    }
}

#[tokio::test]
async fn visitors_address_in_a_body_is_read_in_proxy_format() {
    let cloud = TestCloud::start().await;
    super::blocklist::block(
        &cloud,
        &json!({ "cidr": "192.0.2.9", "reason": "scanning" }),
    )
    .await;
    for ip in [
        "192.0.2.9:4711",
        "[::ffff:192.0.2.9]",
        "[::ffff:192.0.2.9]:1",
        "192.0.2.9, 10.0.0.1",
        " 192.0.2.9 ",
    ] {
        let seen = Visitor { ip, ..STRANGER }
            .assessed(&cloud, "ann@example.com")
            .await;
        assert!(has(&seen, "address-blocked"), "{ip}: {seen}");
    }
    for ip in ["", "unknown", "192.0.2.9,", "192.0.2.9:99999"] {
        let body = Visitor { ip, ..STRANGER }.body(&json!({ "path": "/login" }));
        let refused = cloud.post("/api/security/assess", &body).await;
        refused.assert_invalid("/ip", ip);
    }
}

#[tokio::test]
async fn scanner_word_counts_only_as_a_whole_path_segment() {
    let cloud = TestCloud::start().await;
    for (path, probed) in [
        ("/wp-login.php", true),
        ("/x/%2e%2e/etc/passwd", true),
        ("/search?q=/wp-login.php", false),
        ("/documents/wp-login.php-review", false),
        ("/assets/vendor/chunk.js#/.env", false),
    ] {
        let body = OWNER.body(&json!({ "path": path }));
        let seen = cloud.post("/api/security/assess", &body).await.body;
        assert_eq!(has(&seen, "path-probed"), probed, "{path}: {seen}");
    }
}

#[tokio::test]
async fn many_accounts_per_address_and_many_addresses_per_account_are_detected() {
    let cloud = TestCloud::start().await;
    for number in 0..10 {
        STRANGER
            .attempts(&cloud, &format!("user-{number}@example.com"), false)
            .await;
    }
    let seen = STRANGER.assessed(&cloud, "user-99@example.com").await;
    assert!(has(&seen, "many-accounts-from-address"), "{seen}");
    let elsewhere = OWNER.assessed(&cloud, "user-99@example.com").await;
    assert!(
        !has(&elsewhere, "many-accounts-from-address"),
        "{elsewhere}"
    );
    for ip in [
        "192.0.2.1",
        "192.0.2.2",
        "192.0.2.3",
        "192.0.2.4",
        "192.0.2.5",
    ] {
        Visitor { ip, ..STRANGER }
            .attempts(&cloud, "bob@example.com", false)
            .await;
    }
    let seen = OWNER.assessed(&cloud, "bob@example.com").await;
    assert!(has(&seen, "many-addresses-for-account"), "{seen}");
}

#[tokio::test]
async fn consecutive_refusals_count_against_an_address() {
    let cloud = TestCloud::start().await;
    let bot = Visitor {
        agent: "curl/8",
        ip: "198.51.100.30",
        ..STRANGER
    };
    for number in 0..30 {
        bot.attempts(&cloud, &format!("user-{number}@example.com"), false)
            .await;
    }
    let mut last = json!(null);
    for _ in 0..4 {
        last = bot.assessed(&cloud, "nobody@example.com").await;
        assert_eq!(last["verdict"], "deny", "{last}");
    }
    assert!(has(&last, "refusals-in-a-row"), "{last}");
}

#[tokio::test]
async fn visitor_probing_paths_is_challenged_and_a_signer_is_not() {
    let cloud = TestCloud::start().await;
    for (path, verdict) in [
        ("/sign/01985c00", "allow"),
        ("/wp-login.php", "challenge"),
        ("/.env", "challenge"),
    ] {
        let visit = OWNER.body(&json!({ "path": path }));
        let assessed = cloud.post("/api/security/assess", &visit).await;
        assert_eq!(assessed.body["verdict"], verdict, "{path}: {assessed:?}");
    }
}
