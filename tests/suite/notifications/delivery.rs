//! Recipients and rows of notifications: each type, with a user and without.

use serde_json::{Value, json};
use shared::service::notification::TYPES;

use super::{SEND_NOTIFICATION, Stage, general, new_user};

/// The row of each type: its type and its link.
const ROWS: [(&str, &str, Option<&str>); 9] = [
    ("signature_request", "signature_request", Some("/sign/r-1")),
    (
        "signature_completed",
        "signature_completed",
        Some("/documents/r-1"),
    ),
    (
        "document_expiry_warning",
        "document_expiry_warning",
        Some("/documents/r-1"),
    ),
    (
        "document_expired",
        "document_expired",
        Some("/documents/r-1"),
    ),
    (
        "sequential_signature_request",
        "sequential_signature_request",
        Some("/sign/r-1"),
    ),
    ("reminder", "reminder", Some("/sign/r-1")),
    (
        "pdf_generation_completed",
        "pdf_generation_completed",
        Some("/documents/r-1"),
    ),
    ("system_notification", "system", None),
    ("general", "general", None),
];

/// Defect 29: every typed notification failed because it had no user.
#[tokio::test]
async fn each_typed_notification_reaches_its_user() {
    let stage = Stage::start().await;
    for (kind, row_type, link) in ROWS {
        let user = new_user();
        let mut payload = general(user);
        payload["type"] = kind.into();
        payload["requestId"] = "r-1".into();
        payload["data"] = json!({ "documentTitle": "Lease" });
        let job = stage.notify(&payload).await;
        assert_eq!(job["type"], "notification");
        assert_eq!(job["result"]["created"], 1, "{kind}: {job:#}");
        let inbox = stage.inbox(user).await;
        assert_eq!(inbox.len(), 1, "{kind}");
        let item = &inbox[0];
        assert_eq!(item["userId"], json!(user), "{kind}");
        assert_eq!(item["type"], row_type, "{kind}");
        assert_eq!(
            (&item["title"], &item["message"]),
            (&json!("News"), &json!("There are some."))
        );
        assert_eq!(item["actionUrl"].as_str(), link, "{kind}");
        assert_eq!(item["metadata"]["documentTitle"], "Lease", "{kind}");
        assert_eq!(item["isRead"], false, "{kind}");
        assert_eq!(stage.unread(user).await, 1, "{kind}");
        let events = stage.events(user).await;
        assert_eq!(events.len(), 1, "{kind}");
        assert_eq!(events[0].0, "notification");
        assert_eq!(events[0].1["notification"]["id"], item["id"], "{kind}");
        assert_eq!(events[0].1["unreadCount"], 1, "{kind}");
    }
}

/// Defect 30: the producers of these two name no user.
#[tokio::test]
async fn pdf_and_expiry_notifications_without_a_user_go_to_the_owner() {
    let stage = Stage::start_with(|settings| settings.seed = true).await;
    let owner = "01985c00-0000-7000-8000-000000000001".parse().unwrap();
    let request = "01985c00-0000-7000-8000-000000000100";
    for payload in [
        json!({ "type": "pdf_generation_completed", "requestId": request, "pdfUrl": "https://files.example.com/1.pdf" }),
        json!({ "type": "document_expired", "requestId": request }),
        json!({ "type": "document_expiry_warning", "requestId": request, "hoursUntilExpiry": 24 }),
    ] {
        let job = stage.notify(&payload).await;
        assert_eq!(job["result"]["created"], 1, "{job:#}");
        let item = stage.inbox(owner).await.remove(0);
        assert_eq!(item["type"], payload["type"]);
        assert_eq!(item["metadata"]["requestId"], request);
        assert_eq!(item["actionUrl"], format!("/documents/{request}"));
        for words in ["title", "message"] {
            assert_ne!(item[words], "", "{item:#}");
        }
    }

    let account = "OLIVIA.owner@acme.example";
    let turn = json!({ "type": "sequential_signature_request", "requestId": request, "nextSignerEmail": account });
    let job = stage.notify(&turn).await;
    assert_eq!(job["result"]["created"], 1, "{job:#}");
    let without =
        json!({ "type": "reminder", "requestId": request, "signerEmail": "nobody@example.com" });
    let job = stage.notify(&without).await;
    assert_eq!(
        job["result"],
        json!({ "created": 0, "unwanted": 0, "nobody": 1, "pushed": 0, "notPushed": 0 })
    );
}

/// Defect 62, the part about notifications: errors were swallowed.
#[tokio::test]
async fn notification_of_an_unknown_request_fails_and_is_not_reported_as_sent() {
    let stage = Stage::start().await;
    let request = new_user();
    let payload = json!({ "type": "document_expired", "requestId": request, "jobId": "job-early" });
    // Its transaction may be about to commit.
    let early = stage.cloud.deliver(SEND_NOTIFICATION, &payload).await;
    assert_eq!(early.status, 503, "{early:?}");
    let owner = new_user();
    let insert = format!(
        "insert into public.signing_requests (id, initiated_by) values ('{request}', '{owner}')"
    );
    stage.database.execute(&insert).await;
    let response = stage.cloud.deliver(SEND_NOTIFICATION, &payload).await;
    assert_eq!(response.body["result"]["created"], 1, "{response:?}");
    assert_eq!(stage.inbox(owner).await.len(), 1);

    let never = json!({ "type": "document_expired", "requestId": new_user() });
    let taken = stage.cloud.post(super::NOTIFICATIONS, &never).await;
    let id = taken.body["jobId"].as_str().unwrap();
    let dead = stage.cloud.wait_for(id, "dead").await;
    assert!(
        dead["error"]
            .as_str()
            .unwrap()
            .contains("the signing request does not exist"),
        "{dead:#}"
    );
}

#[tokio::test]
async fn unknown_user_in_a_bulk_does_not_affect_the_others() {
    let stage = Stage::start().await;
    let [known, unknown] = [new_user(), new_user()];
    stage
        .database
        .execute(&format!(
            "create table public.users (id uuid primary key);
             insert into public.users values ('{known}');
             alter table public.notifications add foreign key (user_id) references public.users (id);"
        ))
        .await;
    let items: Vec<Value> = [known, unknown, known]
        .into_iter()
        .map(|user| json!({ "userId": user, "title": "T", "message": "M" }))
        .collect();
    let payload = json!({ "type": "bulk_notification", "notifications": items });
    let job = stage.notify(&payload).await;
    assert_eq!(
        (&job["result"]["created"], &job["result"]["nobody"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(stage.inbox(known).await.len(), 2);
    assert_eq!(stage.unread(known).await, 2);
}

/// Defect 28: a failure was answered with 200.
#[tokio::test]
async fn unwritten_notification_is_not_answered_200() {
    let stage = Stage::start().await;
    let user = new_user();
    let mut payload = general(user);
    payload["jobId"] = "job-1".into();
    stage
        .database
        .execute("alter table signtusk.notification_receipts rename to away")
        .await;
    let failed = stage.cloud.deliver(SEND_NOTIFICATION, &payload).await;
    assert_eq!(failed.status, 503, "{failed:?}");
    stage
        .database
        .execute("alter table signtusk.away rename to notification_receipts")
        .await;
    let response = stage.cloud.deliver(SEND_NOTIFICATION, &payload).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(stage.inbox(user).await.len(), 1);

    for unreadable in [
        json!({ "type": "birthday", "userId": user }),
        json!({ "type": "general", "userId": user }),
        json!({ "type": "reminder" }),
    ] {
        let refused = stage
            .cloud
            .deliver_as("msg_bad", SEND_NOTIFICATION, &unreadable)
            .await;
        assert_eq!(refused.status.as_u16(), 489, "{refused:?}");
    }
}

#[tokio::test]
async fn invalid_notification_is_refused_when_enqueued() {
    let stage = Stage::start().await;
    let user = new_user();
    let mut long = general(user);
    long["title"] = "x".repeat(256).into();
    for (payload, pointer) in [
        (json!({ "type": "birthday" }), "/type"),
        (json!({ "type": "reminder" }), "/userId"),
        (
            json!({ "type": "general", "userId": "ann", "title": "T", "message": "M" }),
            "/userId",
        ),
        (long, "/title"),
    ] {
        let refused = stage.cloud.post(super::NOTIFICATIONS, &payload).await;
        refused.assert_invalid(pointer, &payload.to_string());
    }
    let page = stage.cloud.get("/api/jobs/send-notification").await;
    assert_eq!(page.body["service"], "Notification Job Handler");
    assert_eq!(page.body["supportedTypes"], json!(TYPES));
    let stats = stage.cloud.get("/api/queue/stats").await;
    assert!(
        stats.body["notification"].is_object() || stats.body["items"].is_array(),
        "{stats:?}"
    );
    let health = stage.cloud.get("/api/health/redis").await;
    let counted = &health.body["services"]["jobQueue"]["stats"]["notification"];
    assert!(counted["total"].is_number(), "{health:?}");
}
