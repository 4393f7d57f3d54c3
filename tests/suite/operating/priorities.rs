//! A bulk has low priority unless the caller sets one, so that no single job waits behind it.

use serde_json::{Value, json};

use crate::support::TestCloud;
use crate::support::payloads::{bulk, signature_request};

const USER: &str = "01985c00-0000-7000-8000-000000000001";

/// Returns the priority of the first job of a request.
async fn priority(cloud: &TestCloud, path: &str, body: &Value) -> Value {
    let taken = cloud.post(path, body).await;
    assert_eq!(taken.status, 202, "{path}: {taken:?}");
    let id = taken.body["jobId"].as_str();
    let id = id.or(taken.body["jobIds"][0].as_str()).unwrap();
    cloud.job(id).await["priority"].clone()
}

#[tokio::test]
async fn bulk_priority_defaults_to_low_and_a_given_one_is_kept() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let item = json!({ "userId": USER, "title": "News", "message": "M" });
    let news = json!({ "notifications": [item] });
    let single = json!({ "type": "general", "userId": USER, "title": "News", "message": "M" });
    let of_type = |body: &Value, kind: &str| {
        let mut body = body.clone();
        body["type"] = json!(kind);
        body
    };
    for (path, body, usual) in [
        (
            "/api/queue/emails",
            signature_request("ann@example.com"),
            "normal",
        ),
        ("/api/queue/emails", of_type(&bulk(3), "bulk"), "low"),
        ("/api/queue/emails/bulk", bulk(3), "low"),
        ("/api/queue/notifications", single, "normal"),
        (
            "/api/queue/notifications",
            of_type(&news, "bulk_notification"),
            "low",
        ),
        ("/api/queue/notifications/bulk", news, "low"),
    ] {
        assert_eq!(priority(&cloud, path, &body).await, usual, "{path}");
        let mut urgent = body;
        urgent["priority"] = json!("high");
        assert_eq!(priority(&cloud, path, &urgent).await, "high", "{path}");
    }
}
