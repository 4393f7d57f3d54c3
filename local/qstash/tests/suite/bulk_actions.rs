//! Cancellations by filter, and their later listing.

use http::{Method, StatusCode};
use serde_json::json;

use crate::harness::Cloud;

async fn with_delayed(labels: &[&str]) -> Cloud {
    let cloud = Cloud::start(1.0).await;
    for label in labels {
        let headers = [("Upstash-Delay", "1d"), ("Upstash-Label", *label)];
        cloud.publish("https://example.com/", &headers, "").await;
    }
    cloud
}

#[tokio::test]
async fn background_cancellation_is_found_by_its_id() {
    let cloud = with_delayed(&["a", "a", "b"]).await;
    let reply = cloud.delete("/v2/messages?label=a&async=true").await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    let action = cloud
        .get(&format!("/v2/bulkActions/{}", reply.text("actionId")))
        .await;
    assert_eq!(action.json["actionId"], reply.json["actionId"]);
    assert_eq!(
        (&action.json["kind"], &action.json["state"]),
        (&json!("cancel"), &json!("FINISHED"))
    );
    assert_eq!(
        (&action.json["total"], &action.json["processed"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(action.json["filter"], json!({ "label": ["a"] }));
    assert!(action.json["completedAt"].as_u64() >= action.json["createdAt"].as_u64());
    assert_eq!(cloud.delete("/v2/messages").await.json["cancelled"], 1);
}

#[tokio::test]
async fn body_accepts_the_same_filters_as_the_query() {
    let cloud = with_delayed(&["a", "b"]).await;
    let body = json!({ "label": ["a"], "async": true }).to_string();
    let reply = cloud.call(Method::DELETE, "/v2/messages", &[], body).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.json);
    for body in [
        json!({ "labeel": "b" }),
        json!({ "label": [] }),
        json!({ "label": {} }),
    ] {
        let reply = cloud.call(Method::DELETE, "/v2/messages", &[], body.to_string());
        assert_eq!(reply.await.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(cloud.delete("/v2/messages").await.json["cancelled"], 1);
}

#[tokio::test]
async fn actions_are_listed_by_page_and_by_state() {
    let cloud = with_delayed(&["a", "b", "c"]).await;
    for label in ["a", "b", "c"] {
        cloud.delete(&format!("/v2/messages?label={label}")).await;
    }
    let first = cloud.get("/v2/bulkActions?count=2").await;
    assert_eq!(first.json["bulkActions"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        first.json["bulkActions"][0]["filter"],
        json!({ "label": ["a"] })
    );
    let cursor = first.text("cursor");
    let second = cloud
        .get(&format!("/v2/bulkActions?count=2&cursor={cursor}"))
        .await;
    assert_eq!(second.json["bulkActions"].as_array().map(Vec::len), Some(1));
    assert!(second.json.get("cursor").is_none());
    let running = cloud.get("/v2/bulkActions?state=IN_PROGRESS").await;
    assert_eq!(running.json["bulkActions"], json!([]));
    for query in ["state=DONE", "count=0"] {
        let refused = cloud.get(&format!("/v2/bulkActions?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
    let unknown = cloud.get("/v2/bulkActions/act_nothing").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn cancellation_by_ids_is_not_a_bulk_action_and_is_limited_to_500() {
    let cloud = with_delayed(&["a"]).await;
    let refused = cloud.delete("/v2/messages?count=501").await;
    refused.assert_refused(StatusCode::BAD_REQUEST, "500");
    let reply = cloud.delete("/v2/messages?messageIds=msg_nothing").await;
    assert_eq!(reply.json, json!({ "cancelled": 0 }));
    assert_eq!(
        cloud.get("/v2/bulkActions").await.json["bulkActions"],
        json!([])
    );
}
