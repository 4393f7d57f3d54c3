//! The cost of notifications.

use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::meter::Meter;
use super::{accepted, nothing};
use crate::support::TestCloud;
use crate::support::cloud::{answer, with_json};

const SEND_NOTIFICATION: &str = "send-notification";

pub(super) async fn check(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let user = Uuid::new_v4();
    let item = json!({ "userId": user, "title": "T", "message": "M" });
    let many = json!({ "notifications": vec![item.clone(); 250] });
    meter
        .check(
            "POST /api/queue/notifications/bulk, 250 notifications (3 jobs)",
            nothing,
            async |()| {
                let taken = cloud.post("/api/queue/notifications/bulk", &many).await;
                accepted(taken.status);
            },
        )
        .await;
    let mut one = item.clone();
    one["type"] = "general".into();
    let bulk = json!({ "type": "bulk_notification", "notifications": vec![item; 10] });
    for (operation, payload) in [
        (
            "POST /api/jobs/send-notification, one notification (claim, announcement and commit)",
            one,
        ),
        (
            "POST /api/jobs/send-notification, a bulk of 10 to one user",
            bulk,
        ),
    ] {
        let enqueued = async || {
            let taken = cloud.post("/api/queue/notifications", &payload).await;
            let mut body = payload.clone();
            body["jobId"] = taken.body["jobId"].clone();
            body
        };
        meter
            .check(operation, enqueued, async |body: Value| {
                let response = cloud.deliver(SEND_NOTIFICATION, &body).await;
                assert_eq!(response.status, 200, "{response:?}");
            })
            .await;
    }
    inbox(cloud, meter, user).await;
}

async fn inbox(cloud: &TestCloud, meter: &mut Meter<'_>, user: Uuid) {
    let read = async |path: &str| {
        let request = cloud.request(Method::GET, path);
        let seen = answer(request.header("x-user-id", user.to_string())).await;
        assert_eq!(seen.status, 200, "{seen:?}");
    };
    for operation in [
        "GET /api/notifications",
        "GET /api/notifications/unread-count",
    ] {
        let path = operation.trim_start_matches("GET ");
        meter
            .check(operation, nothing, async |()| read(path).await)
            .await;
    }
    let forgotten = async || {
        let mut redis = cloud.redis_connection().await;
        let key = format!("unread_count:{user}");
        let _: i64 = redis::cmd("DEL")
            .arg(key)
            .query_async(&mut redis)
            .await
            .unwrap();
    };
    meter
        .check(
            "GET /api/notifications/unread-count, missing in Redis",
            forgotten,
            async |()| read("/api/notifications/unread-count").await,
        )
        .await;
    let unread = async || {
        let payload = json!({ "type": "general", "userId": user, "title": "T", "message": "M" });
        let response = cloud
            .deliver_as(
                &format!("msg_{}", Uuid::new_v4()),
                SEND_NOTIFICATION,
                &payload,
            )
            .await;
        assert_eq!(response.status, 200, "{response:?}");
    };
    meter
        .check("POST /api/notifications/read", unread, async |()| {
            let request = cloud.request(Method::POST, "/api/notifications/read");
            let request = request.header("x-user-id", user.to_string());
            let read = answer(with_json(request, &json!({ "all": true }))).await;
            assert_eq!(read.status, 200, "{read:?}");
        })
        .await;
}
