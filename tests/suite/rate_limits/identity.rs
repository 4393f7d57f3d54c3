//! The counted identity: never a client's own claim.

use http::Method;
use serde_json::json;

use super::{PUBLIC, READ, WRITE, cloud_with, number, of};
use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer, with_json};
use crate::support::event::{event, with_header};

const OFFICE: &str = "198.51.100.7";

/// Sends a GET of the public route as API Gateway forwards it.
async fn from(cloud: &TestCloud, peer: &str, forwarded: &str) -> Answer {
    let mut event = with_header(event("GET", PUBLIC), "x-forwarded-for", forwarded);
    event["requestContext"]["http"]["sourceIp"] = json!(peer);
    cloud.invoke("health", event).await
}

#[tokio::test]
async fn user_does_not_spend_the_limit_of_another_at_the_same_address() {
    let routes = [
        (Method::GET, READ),
        (Method::GET, "/api/queue/jobs"),
        (Method::GET, "/api/queue/jobs/none"),
        (Method::DELETE, "/api/queue/jobs/none"),
        (Method::POST, "/api/queue/jobs/none/retry"),
        (Method::PUT, WRITE),
        (Method::POST, "/api/queue/emails"),
        (Method::POST, "/api/queue/emails/bulk"),
        (Method::GET, "/api/suppressions"),
        (Method::GET, "/api/mail-events?email=ann@example.com"),
    ];
    let cloud = cloud_with(&[("RATE_LIMIT_API", "2/1d")]).await;
    for (number, (method, path)) in routes.into_iter().enumerate() {
        let call = |who: &str| {
            let user = format!("{who}-{number}");
            let request = of(&cloud, method.clone(), path, &user, OFFICE);
            answer(with_json(request, &json!({ "paused": false })))
        };
        for _ in 0..2 {
            assert_ne!(call("ann").await.status, 429, "{method} {path}");
        }
        assert_eq!(call("ann").await.status, 429, "{method} {path}");
        assert_ne!(call("bob").await.status, 429, "{method} {path}");
    }
}

/// Defect 15: clients named themselves by a header.
#[tokio::test]
async fn forged_forwarded_header_does_not_change_the_client() {
    let cloud = cloud_with(&[("RATE_LIMIT_PUBLIC", "3/1d")]).await;
    for forged in ["6.6.6.1", "6.6.6.2, 6.6.6.3", "unknown"] {
        assert_ne!(from(&cloud, "192.0.2.1", forged).await.status, 429);
    }
    for forged in ["6.6.6.4", "", "192.0.2.99"] {
        assert_eq!(from(&cloud, "192.0.2.1", forged).await.status, 429);
    }
    // It does not use up another client's limit either.
    assert_ne!(from(&cloud, "192.0.2.2", "192.0.2.1").await.status, 429);
    for name in [
        "x-real-ip",
        "cf-connecting-ip",
        "x-client-ip",
        "x-user-id",
        "forwarded",
    ] {
        let mut forged = with_header(event("GET", PUBLIC), name, "6.6.6.5");
        forged["requestContext"]["http"]["sourceIp"] = json!("192.0.2.1");
        assert_eq!(cloud.invoke("health", forged).await.status, 429, "{name}");
    }
}

#[tokio::test]
async fn trusted_proxies_select_the_hop_written_by_the_last_of_them() {
    for proxies in ["1", "198.51.100.0/24"] {
        let cloud =
            cloud_with(&[("RATE_LIMIT_PUBLIC", "1/1d"), ("TRUSTED_PROXIES", proxies)]).await;
        let edge = "198.51.100.1";
        let behind = |client: &str| format!("6.6.6.6, {client}, {edge}");
        assert_ne!(from(&cloud, edge, &behind("203.0.113.1")).await.status, 429);
        assert_eq!(from(&cloud, edge, &behind("203.0.113.1")).await.status, 429);
        assert_ne!(from(&cloud, edge, &behind("203.0.113.2")).await.status, 429);
    }
}

#[tokio::test]
async fn ipv6_is_counted_by_its_64_prefix() {
    let cloud = cloud_with(&[("RATE_LIMIT_PUBLIC", "2/1d"), ("RATE_LIMIT_API", "2/1d")]).await;
    for (host, status) in [("::1", 200), (":aaaa:bbbb:cccc:dddd", 200), ("::2", 429)] {
        let address = format!("2001:db8:1:2{host}");
        assert_eq!(from(&cloud, &address, "").await.status, status, "{address}");
        let read = answer(of(&cloud, Method::GET, READ, "ann", &address)).await;
        assert_eq!(read.status, status, "{address}");
    }
    assert_eq!(from(&cloud, "2001:db8:1:3::1", "").await.status, 200);
    let plain = from(&cloud, "::ffff:192.0.2.7", "").await;
    assert_eq!(number(&plain, "x-ratelimit-remaining"), 1);
    let plain = from(&cloud, "192.0.2.7", "").await;
    assert_eq!(number(&plain, "x-ratelimit-remaining"), 0);
}
