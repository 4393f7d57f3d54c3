//! Every route of every binary has a limiter, or is listed here with the reason why it has none.

use http::Method;
use serde_json::Value;

use crate::support::TestCloud;
use crate::support::cloud::{answer, with_json};

/// Operations without a limiter, as docs/API.md lists them.
const UNLIMITED: [(&str, &str); 3] = [
    ("GET", "/api/openapi.json"),
    // The provider signs the request.
    ("POST", "/api/mail-events"),
    // It is the limiter itself, and always answers 200.
    ("POST", "/api/security/rate-limits/{limiter}"),
];

#[tokio::test]
async fn every_route_has_a_limiter_except_the_listed_ones() {
    let cloud = TestCloud::start().await;
    let mut bare = Vec::new();
    for (method, path) in operations() {
        let url = fill(&path);
        let request = cloud.request(method.clone(), &url);
        let request = if method == Method::GET {
            request
        } else {
            with_json(request, &serde_json::json!({}))
        };
        let answer = answer(request).await;
        let is_limited = ["limit", "remaining", "reset"]
            .iter()
            .all(|name| answer.headers.contains_key(format!("x-ratelimit-{name}")));
        let may_be_bare = UNLIMITED.contains(&(method.as_str(), path.as_str()));
        if is_limited == may_be_bare {
            bare.push(format!("{method} {path}: {}", answer.status));
        }
    }
    assert!(bare.is_empty(), "{bare:#?}");
}

#[test]
fn every_route_is_listed_on_the_page_of_protections() {
    let page = include_str!("../../../docs/API.md");
    let (_, section) = page.split_once("## Protection of each route").unwrap();
    let section = section.split("\n## ").next().unwrap();
    for (_, path) in operations() {
        let last = path.rsplit_once("/api/").unwrap().1;
        let tail = last.split_once('/').map_or(last, |(_, tail)| tail);
        assert!(
            section.contains(&path) || section.contains(&format!("/{tail}`")),
            "docs/API.md does not say what protects {path}"
        );
    }
}

/// Returns the methods and paths of the OpenAPI document, which the routes generate.
fn operations() -> Vec<(Method, String)> {
    let document: Value = serde_json::from_str(openapi::DOCUMENT).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, operations)| {
        let methods = operations.as_object().unwrap().keys();
        methods.filter_map(move |method| {
            let method = method.to_uppercase().parse().ok()?;
            Some((method, path.clone()))
        })
    });
    // Jobs are limited by flow control, not by a guard, and never by an address.
    each.filter(|(_, path)| !path.starts_with("/api/jobs/"))
        .collect()
}

/// Returns the path with a value for each parameter.
fn fill(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        if segment.starts_with('{') {
            "email"
        } else {
            segment
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn qstash_deliveries_are_not_throttled_by_their_address() {
    let cloud = super::cloud_with(&[
        ("RATE_LIMIT_API", "2/1d"),
        ("RATE_LIMIT_PUBLIC", "2/1d"),
        ("RATE_LIMIT_SERVICE", "2/1d"),
    ])
    .await;
    let body = serde_json::json!({ "type": "no such type" });
    for _ in 0..10 {
        let delivered = cloud.deliver("send-email", &body).await;
        assert_eq!(delivered.status.as_u16(), 489, "{delivered:?}");
        assert!(!delivered.headers.contains_key("x-ratelimit-limit"));
    }
}
