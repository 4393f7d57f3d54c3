//! The document, the template and the running gateway have the same routes.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};
use shared::base::clock::Clock;
use shared::service::job::JobType;

use crate::support::TestCloud;
use crate::support::cloud::answer;

type Routes = BTreeSet<(String, String)>;

/// Returns the template's paths. A function itself answers unknown methods, so each path is routed with all methods.
fn routed() -> BTreeSet<String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
    let template = std::fs::read_to_string(file).unwrap();
    let mut lines = template.lines().map(str::trim);
    let mut paths = BTreeSet::new();
    while let Some(line) = lines.next() {
        if let Some(method) = line.strip_prefix("Method: ") {
            let path = lines.next().unwrap().strip_prefix("Path: ").unwrap();
            assert_eq!(method, "ANY", "{path}");
            assert!(paths.insert(path.to_owned()), "{path} is routed twice");
        }
    }
    assert!(!paths.is_empty());
    paths
}

/// Returns the document's routes.
fn documented(document: &Value) -> Routes {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, operations)| {
        let methods = operations.as_object().unwrap().keys();
        methods.map(|method| (method.to_uppercase(), path.clone()))
    });
    operations.collect()
}

#[tokio::test]
async fn document_is_served_and_lists_exactly_the_client_routes() {
    let cloud = TestCloud::start().await;
    let served = answer(cloud.bare(Method::GET, "/api/openapi.json")).await;
    assert_eq!(
        (served.status.as_u16(), &served.headers["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    assert!(served.body["openapi"].as_str().unwrap().starts_with("3."));
    // Jobs are for QStash, which gets their URLs from the publisher, not from the document.
    let mut for_clients = routed();
    for_clients.retain(|path| !path.starts_with("/api/jobs/"));
    let documented = documented(&served.body);
    let documented: BTreeSet<String> = documented.into_iter().map(|(_, path)| path).collect();
    assert_eq!(documented, for_clients);
}

#[tokio::test]
async fn every_documented_and_template_route_reaches_a_function() {
    let cloud = TestCloud::start().await;
    let document = cloud.get("/api/openapi.json").await.body;
    let jobs = routed().into_iter();
    let jobs = jobs.filter(|path| path.starts_with("/api/jobs/"));
    let jobs =
        jobs.flat_map(|path| ["GET", "POST"].map(|method| (method.to_owned(), path.clone())));
    for (method, path) in documented(&document).into_iter().chain(jobs) {
        let path = path.replace("{jobId}", "no-such-job");
        let request = cloud.bare(method.parse().unwrap(), &path);
        let reached = answer(request).await;
        let expected: &[u16] = match (method.as_str(), path.as_str()) {
            ("GET", "/api/health/redis" | "/api/openapi.json") => &[200],
            ("GET", path) if path.starts_with("/api/jobs/") => &[200],
            // A link without its token, for which a browser shows a page.
            (_, "/api/unsubscribe") => &[400],
            _ => &[401],
        };
        assert!(
            expected.contains(&reached.status.as_u16()),
            "{method} {path}: {reached:?}"
        );
        if reached.status == 401 {
            assert_eq!(
                reached.headers["content-type"], "application/problem+json",
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn route_outside_the_template_is_answered_404() {
    let cloud = TestCloud::start().await;
    for (method, path) in [
        (Method::GET, "/"),
        (Method::GET, "/api"),
        (Method::GET, "/api/queue"),
        (Method::DELETE, "/api/queue/stats/"),
        (Method::POST, "/api/jobs/no-such-job"),
        (Method::GET, "/api/health/redis/more"),
    ] {
        let refused = answer(cloud.request(method.clone(), path)).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body),
            (404, &json!({ "message": "Not Found" })),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn job_handler_describes_itself_without_authorization() {
    let cloud = TestCloud::start().await;
    let before = Clock::system().now().as_millisecond();
    for (handler, supported) in [
        ("send-email", json!(shared::service::mail::payload::TYPES)),
        (
            "job-failed",
            JobType::ALL.iter().map(|job| job.name()).collect(),
        ),
        ("persist-session", Value::Null),
    ] {
        let about = answer(cloud.bare(Method::GET, &format!("/api/jobs/{handler}"))).await;
        assert_eq!(about.status, 200, "{about:?}");
        let about = about.body;
        assert!(!about["service"].as_str().unwrap().is_empty(), "{about}");
        assert_eq!(about["status"], "active", "{about}");
        assert_eq!(about["supportedTypes"], supported, "{about}");
        let timestamp = about["timestamp"].as_i64().unwrap();
        assert!(
            (before..=Clock::system().now().as_millisecond()).contains(&timestamp),
            "{about}"
        );
    }
}
