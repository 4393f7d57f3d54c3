//! The inbox over HTTP: its owner, and its pages.

use http::Method;
use serde_json::{Value, json};

use super::{Stage, general, new_user};
use crate::support::cloud::answer;

/// Defect 13: any user could mark another user's notification as read.
#[tokio::test]
async fn notification_of_another_user_cannot_be_marked_as_read() {
    let stage = Stage::start().await;
    let [ann, bob] = [new_user(), new_user()];
    for user in [ann, bob] {
        stage.notify(&general(user)).await;
    }
    let anns = stage.inbox(ann).await[0]["id"].clone();
    let tried = stage.read(bob, &json!({ "ids": [anns] })).await;
    assert_eq!(tried.status, 200);
    assert_eq!(tried.body, json!({ "updated": 0, "unreadCount": 1 }));
    let tried = stage.read(bob, &json!({ "all": true })).await;
    assert_eq!(tried.body, json!({ "updated": 1, "unreadCount": 0 }));
    assert_eq!((stage.unread(ann).await, stage.unread(bob).await), (1, 0));
    assert_eq!(stage.inbox(ann).await[0]["isRead"], false);
    let own = stage.read(ann, &json!({ "ids": [anns] })).await;
    assert_eq!(own.body, json!({ "updated": 1, "unreadCount": 0 }));
    let again = stage.read(ann, &json!({ "ids": [anns] })).await;
    assert_eq!(again.body, json!({ "updated": 0, "unreadCount": 0 }));
    let kinds: Vec<String> = stage
        .events(ann)
        .await
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    assert_eq!(kinds, ["notification", "notifications_read"]);
}

#[tokio::test]
async fn pages_list_every_notification_once_and_filters_exclude_others() {
    let stage = Stage::start().await;
    let user = new_user();
    let items: Vec<Value> = (0..45)
        .map(|n| json!({ "userId": user, "title": format!("No. {n}"), "message": "M" }))
        .collect();
    stage
        .notify(&json!({ "type": "bulk_notification", "notifications": items }))
        .await;
    stage
        .notify(&json!({ "type": "reminder", "userId": user }))
        .await;

    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/notifications?limit=20{cursor}");
        let page = stage.ask(user, Method::GET, &path, None).await.body;
        let titles = page["items"].as_array().unwrap().iter();
        seen.extend(titles.map(|item| item["title"].as_str().unwrap().to_owned()));
        let Some(next) = page["cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), 46);
    assert_eq!(seen[0], "Reminder", "newest first");
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 46, "one was listed twice");

    let count = async |query: &str| {
        let path = format!("/api/notifications?limit=100&{query}");
        let page = stage.ask(user, Method::GET, &path, None).await;
        page.body["items"].as_array().unwrap().len()
    };
    assert_eq!(count("type=reminder").await, 1);
    assert_eq!(count("type=general").await, 45);
    let first = stage.inbox(user).await[0]["id"].clone();
    stage.read(user, &json!({ "ids": [first] })).await;
    assert_eq!(count("unread=true").await, 45);
    assert_eq!(count("unread=false").await, 1);
    assert_eq!(count("unread=true&type=reminder").await, 0);
    assert_eq!(stage.inbox(new_user()).await.len(), 0);
}

#[tokio::test]
async fn route_of_the_acting_user_without_one_is_answered_400() {
    let stage = Stage::start().await;
    for (method, path) in [
        (Method::GET, "/api/notifications"),
        (Method::GET, "/api/notifications/unread-count"),
        (Method::POST, "/api/notifications/read"),
        (Method::POST, "/api/notifications/subscriptions"),
        (
            Method::DELETE,
            "/api/notifications/subscriptions?endpoint=https://fcm.googleapis.com/x",
        ),
    ] {
        let body = json!({ "all": true, "endpoint": "https://fcm.googleapis.com/x", "keys": { "p256dh": "", "auth": "" } });
        let request = || {
            stage
                .cloud
                .request(method.clone(), path)
                .header("content-type", "application/json")
                .body(body.to_string())
        };
        let nobody = answer(request()).await;
        nobody.assert_problem(400, "caller_invalid", path);
        let unknown = answer(request().header("x-user-id", "ann")).await;
        unknown.assert_problem(400, "caller_invalid", path);
        let anonymous = answer(stage.cloud.bare(method.clone(), path)).await;
        anonymous.assert_problem(401, "token_invalid", path);
    }
    let user = new_user();
    for (body, pointer) in [
        (json!({}), "/ids"),
        (json!({ "ids": [] }), "/ids"),
        (json!({ "ids": ["x"] }), "/ids/0"),
        (json!({ "all": false }), "/ids"),
        (json!({ "all": true, "ids": [user] }), "/all"),
    ] {
        let refused = stage.read(user, &body).await;
        refused.assert_invalid(pointer, &body.to_string());
    }
}
