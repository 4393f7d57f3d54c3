//! Every promise of a mail, a link or a page still holds after the clean-up: the data are aged by 91 days, and every
//! link is followed.

use http::Method;
use serde_json::{Value, json};

use crate::support::TestCloud;
use crate::support::cloud::answer;
use crate::support::ledger::LedgerDatabase;
use crate::support::payloads::signature_request;

/// Makes all data 91 days older, and cleans up.
async fn aged(cloud: &TestCloud, run: &str) -> Value {
    let database = LedgerDatabase::of(cloud);
    database
        .execute(
            "update signtusk.email_ledger set created_at = created_at - interval '91 days', \
               updated_at = updated_at - interval '91 days'; \
             update signtusk.email_events set received_at = received_at - interval '91 days', at = at - interval '91 days'; \
             update signtusk.email_suppressions set created_at = created_at - interval '91 days'; \
             update public.notifications set created_at = created_at - interval '91 days'; \
             update public.notification_logs set created_at = created_at - interval '91 days', \
               sent_at = sent_at - interval '91 days';",
        )
        .await;
    let cleaned = cloud
        .deliver_as(run, "cleanup-expired", &json!({ "timestamp": 1 }))
        .await;
    assert_eq!(cleaned.status, 200, "{cleaned:?}");
    cleaned.body["result"]["tasks"].clone()
}

async fn ordered(cloud: &TestCloud, kind: &str, to: &str) -> Value {
    let mut payload = signature_request(to);
    payload["type"] = json!(kind);
    let id = cloud.enqueue(&payload).await;
    cloud.wait_for(&id, "completed").await
}

/// Returns the path of the unsubscribe link in the newest mail to a recipient, which its header also names.
fn link(cloud: &TestCloud, to: &str) -> String {
    let mails = cloud.mail().messages(Some(to));
    let mail = &mails[0];
    let header = mail
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("List-Unsubscribe"))
        .map(|header| header.value.trim_matches(['<', '>']).to_owned())
        .unwrap();
    assert!(mail.text.contains(&header), "{}", mail.text);
    header
        .strip_prefix(cloud.functions_url())
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn unsubscribe_link_of_an_old_mail_works_after_cleanup() {
    let cloud = TestCloud::start().await;
    ordered(&cloud, "reminder", "ann@example.com").await;
    let link = link(&cloud, "ann@example.com");
    let tasks = aged(&cloud, "run-1").await;
    assert!(
        tasks["mailLogs"]["removed"].as_u64() >= Some(1),
        "{tasks:#}"
    );

    let seen = answer(cloud.bare(Method::GET, &link)).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    assert!(seen.body.as_str().unwrap().contains("a***@example.com"));
    let click = cloud
        .bare(Method::POST, &link)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("List-Unsubscribe=One-Click");
    let left = answer(click).await;
    assert_eq!(left.status, 200, "{left:?}");
    let held = ordered(&cloud, "reminder", "ann@example.com").await;
    assert_eq!(held["result"]["suppressed"][0]["reason"], "unsubscribed");

    // The decision and the way to undo it are kept too.
    aged(&cloud, "run-2").await;
    let held = ordered(&cloud, "reminder", "ann@example.com").await;
    assert_eq!(held["result"]["suppressed"][0]["reason"], "unsubscribed");
    let back = cloud
        .bare(Method::POST, &link)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("action=undo");
    assert_eq!(answer(back).await.status, 200);
    let sent = ordered(&cloud, "reminder", "ann@example.com").await;
    assert_eq!(sent["result"]["sent"], 1, "{sent:#}");
}

#[tokio::test]
async fn row_of_a_recently_sent_mail_survives_cleanup_despite_an_old_first_attempt() {
    let cloud = TestCloud::start().await;
    ordered(&cloud, "reminder", "ann@example.com").await;
    let database = LedgerDatabase::of(&cloud);
    database
        .execute("update signtusk.email_ledger set created_at = created_at - interval '91 days'")
        .await;
    let cleaned = cloud
        .deliver_as("run-1", "cleanup-expired", &json!({ "timestamp": 1 }))
        .await;
    assert_eq!(cleaned.status, 200, "{cleaned:?}");
    let rows = "select to_jsonb(count(*)) as value from signtusk.email_ledger";
    assert_eq!(database.read(rows).await, json!(1));
}

#[tokio::test]
async fn address_bounced_long_ago_stays_suppressed_and_late_events_count() {
    let cloud = TestCloud::start().await;
    let bounced = json!({ "email": "gone@example.com", "reason": "bounced" });
    let listed = cloud.request(Method::PUT, "/api/suppressions");
    let listed = answer(crate::support::cloud::with_json(listed, &bounced)).await;
    assert_eq!(listed.status, 200, "{listed:?}");
    aged(&cloud, "run-1").await;
    let held = ordered(&cloud, "signature-request", "gone@example.com").await;
    assert_eq!(held["result"]["suppressed"][0]["reason"], "bounced");
}

#[tokio::test]
async fn unread_count_equals_the_inbox_after_cleanup() {
    let cloud = TestCloud::start().await;
    let user = uuid::Uuid::new_v4();
    for title in ["One", "Two"] {
        let notification =
            json!({ "type": "general", "userId": user, "title": title, "message": title });
        let taken = cloud.post("/api/queue/notifications", &notification).await;
        let id = taken.body["jobId"].as_str().unwrap().to_owned();
        cloud.wait_for(&id, "completed").await;
    }
    aged(&cloud, "run-1").await;
    let of = async |path: &str| {
        let request = cloud
            .request(Method::GET, path)
            .header("x-user-id", user.to_string());
        answer(request).await.body
    };
    let inbox = of("/api/notifications").await;
    let unread = of("/api/notifications/unread-count").await;
    let items = inbox["items"].as_array().unwrap().len();
    assert_eq!(unread["unreadCount"], items, "{unread:#}, {inbox:#}");
}
