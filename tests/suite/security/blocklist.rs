//! The block list: addresses and networks, with reason, author and end. A lookup is one command at any length of the
//! list.

use http::Method;
use redis::AsyncCommands as _;
use serde_json::{Value, json};

use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer, with_json};

pub(super) const LIST: &str = "/api/security/blocklist";
const READ: &str = "/api/queue/stats";

pub(super) async fn block(cloud: &TestCloud, body: &Value) -> Answer {
    let request = cloud
        .request(Method::PUT, LIST)
        .header("x-user-id", "root")
        .header("x-user-role", "admin");
    answer(with_json(request, body)).await
}

pub(super) async fn unblock(cloud: &TestCloud, cidr: &str) {
    let request = cloud.request(Method::DELETE, &format!("{LIST}?cidr={cidr}"));
    assert_eq!(answer(request).await.status, 204, "{cidr}");
}

pub(super) async fn status_from(cloud: &TestCloud, address: &str) -> u16 {
    let request = cloud
        .request(Method::GET, READ)
        .header("x-user-id", "ann")
        .header("x-user-role", "admin")
        .header("x-client-ip", address);
    answer(request).await.status.as_u16()
}

#[tokio::test]
async fn blocked_network_is_refused_and_no_other() {
    let cloud = TestCloud::start().await;
    let listed = block(
        &cloud,
        &json!({ "cidr": "198.51.100.77/23", "reason": "scanning" }),
    )
    .await;
    assert_eq!(listed.status, 200, "{listed:?}");
    assert_eq!(
        (&listed.body["cidr"], &listed.body["author"]),
        (&json!("198.51.100.0/23"), &json!("root"))
    );
    block(
        &cloud,
        &json!({ "cidr": "2001:db8:5::/46", "reason": "scanning" }),
    )
    .await;
    block(
        &cloud,
        &json!({ "cidr": "192.0.2.1", "reason": "scanning" }),
    )
    .await;
    for (address, status) in [
        ("198.51.100.0", 403),
        ("198.51.101.255", 403),
        ("::ffff:198.51.100.1", 403),
        ("198.51.102.0", 200),
        ("2001:db8:7:ffff::1", 403),
        ("2001:db8:8::1", 200),
        ("192.0.2.1", 403),
        ("192.0.2.2", 200),
        // In the form that proxies write.
        ("192.0.2.1:4711", 403),
        ("192.0.2.2:4711", 200),
        ("[::ffff:192.0.2.1]", 403),
        ("[::ffff:192.0.2.1]:443", 403),
        ("[2001:db8:7::1]", 403),
        ("192.0.2.1, 10.0.0.1", 403),
        ("203.0.113.1, 192.0.2.1", 403),
        ("192.0.2.1, 203.0.113.1", 200),
    ] {
        assert_eq!(status_from(&cloud, address).await, status, "{address}");
    }
    // A write is rejected before it has any effect.
    let paused = cloud
        .request(Method::PUT, "/api/queue/pauses/email")
        .header("x-user-id", "ann")
        .header("x-client-ip", "192.0.2.1");
    let refused = answer(with_json(paused, &json!({ "paused": true }))).await;
    refused.assert_problem(403, "address_blocked", "a write");

    unblock(&cloud, "192.0.2.1").await;
    unblock(&cloud, "192.0.2.1").await;
    assert_eq!(status_from(&cloud, "192.0.2.1").await, 200);
    unblock(&cloud, "198.51.100.0/23").await;
    assert_eq!(status_from(&cloud, "198.51.100.0").await, 200);
    let page = cloud.get(LIST).await;
    assert_eq!(page.body["items"].as_array().unwrap().len(), 1, "{page:?}");
    assert_eq!(page.body["items"][0]["cidr"], "2001:db8:4::/46");
}

#[tokio::test]
async fn blocklist_entry_expires_and_an_invalid_network_is_refused() {
    let cloud = TestCloud::start().await;
    block(
        &cloud,
        &json!({ "cidr": "192.0.2.0/24", "reason": "over", "expiresAt": "2026-01-01T00:00:00Z" }),
    )
    .await;
    block(&cloud, &json!({ "cidr": "192.0.3.0/24", "reason": "for long", "expiresAt": "2036-01-01T00:00:00Z" })).await;
    assert_eq!(status_from(&cloud, "192.0.2.1").await, 200);
    assert_eq!(status_from(&cloud, "192.0.3.1").await, 403);
    for cidr in ["", "nowhere", "192.0.2.0/33", "2001:db8::/129"] {
        block(&cloud, &json!({ "cidr": cidr, "reason": "x" }))
            .await
            .assert_invalid("/cidr", cidr);
    }
    let user = cloud.request(Method::GET, LIST).header("x-user-id", "ann");
    answer(user)
        .await
        .assert_problem(403, "role_insufficient", "a user");
}

#[tokio::test]
async fn lookup_costs_the_same_with_100_000_entries() {
    // In a window that does not end meanwhile: the first call of a window costs one command more.
    let cloud = TestCloud::start_with(|settings| {
        let limit = ("RATE_LIMIT_API".to_owned(), "100/1d".to_owned());
        settings.overrides.extend([limit]);
    })
    .await;
    let mut redis = cloud.redis_connection().await;
    block(&cloud, &json!({ "cidr": "192.0.2.1", "reason": "one" })).await;
    assert_eq!(status_from(&cloud, "192.0.2.9").await, 200);
    let commands = async || -> (u64, u64) {
        let before = count(&cloud).await;
        assert_eq!(status_from(&cloud, "192.0.2.9").await, 200);
        let after = count(&cloud).await;
        (after.0 - before.0, after.1 - before.1)
    };
    let few = commands().await;
    let entries: Vec<(String, u8)> = (0..100_000_u32)
        .map(|number| (format!("4/32:{:08x}", 0x0a00_0000 + number), 0))
        .collect();
    for part in entries.chunks(10_000) {
        let _: () = redis
            .hset_multiple("blocklist:prefixes", part)
            .await
            .unwrap();
    }
    assert_eq!(commands().await, few);
    assert_eq!(status_from(&cloud, "10.0.0.7").await, 403);
}

/// Returns requests at the front and commands at redis-server.
async fn count(cloud: &TestCloud) -> (u64, u64) {
    let mut redis = cloud.redis_connection().await;
    let info: String = redis::cmd("INFO")
        .arg("commandstats")
        .query_async(&mut redis)
        .await
        .unwrap();
    let calls = info.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let ours = !["info", "hello", "ping"].contains(&name) && !name.starts_with("client");
        ours.then(|| rest.split(',').next()?.parse::<u64>().ok())?
    });
    (cloud.redis().requests(), calls.sum())
}
