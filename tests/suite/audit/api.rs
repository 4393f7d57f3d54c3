//! The log through the real binaries: events are enqueued, appended, listed by access rights, verified and exported.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use super::signed;
use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer};
use crate::support::ledger::LedgerDatabase;

const ANN: &str = "00000000-0000-4000-8000-00000000000a";
const BOB: &str = "00000000-0000-4000-8000-00000000000b";
const REQUEST: &str = "00000000-0000-4000-8000-0000000000f1";

async fn call(cloud: &TestCloud, path: &str, who: &[(&str, &str)]) -> Answer {
    let mut request = cloud.request(Method::GET, path);
    for (name, value) in who {
        request = request.header(*name, *value);
    }
    answer(request).await
}

/// Writes events of a request of Ann's and of a request without an owner. Ann and Bob are in different domains.
async fn stage(cloud: &TestCloud) -> LedgerDatabase {
    let database = LedgerDatabase::of(cloud);
    database
        .execute(&format!(
            "insert into public.user_profiles (id, email) values ('{ANN}', 'ann@acme.example'), ('{BOB}', 'bob@other.example'); \
             insert into public.signing_requests (id, initiated_by) values ('{REQUEST}', '{ANN}')"
        ))
        .await;
    for (id, user, domain, request) in [
        ("e1", ANN, "acme.example", REQUEST),
        ("e2", BOB, "other.example", REQUEST),
        ("e3", BOB, "other.example", "r2"),
        ("e4", "carl", "third.example", "r2"),
    ] {
        let mut event = signed(request);
        event["userId"] = json!(user);
        event["domain"] = json!(domain);
        super::append(&database, id, event).await;
    }
    database
}

fn ids(page: &Answer) -> BTreeSet<String> {
    assert_eq!(page.status, 200, "{page:?}");
    let items = page.body["items"].as_array().unwrap().iter();
    items
        .map(|item| item["eventId"].as_str().unwrap().to_owned())
        .collect()
}

/// Returns the headers of an acting user.
fn of(
    user: &'static str,
    role: &'static str,
    domain: &'static str,
) -> Vec<(&'static str, &'static str)> {
    vec![
        ("x-user-id", user),
        ("x-user-role", role),
        ("x-user-domain", domain),
    ]
}

#[tokio::test]
async fn audit_events_are_visible_to_permitted_callers_only() {
    let cloud = TestCloud::start().await;
    stage(&cloud).await;
    let request = format!("/api/audit?requestId={REQUEST}");
    for (who, path, seen) in [
        (vec![], "/api/audit", vec!["e1", "e2", "e3", "e4"]),
        (
            of("root", "admin", "x"),
            "/api/audit",
            vec!["e1", "e2", "e3", "e4"],
        ),
        (of(ANN, "user", "acme.example"), "/api/audit", vec!["e1"]),
        (of(ANN, "user", "acme.example"), &request, vec!["e1", "e2"]),
        (of(BOB, "user", "acme.example"), &request, vec!["e2"]),
        (
            of(BOB, "user", "other.example"),
            "/api/audit?requestId=r2",
            vec!["e3"],
        ),
        (
            of(BOB, "user", "other.example"),
            "/api/audit?userId=carl",
            vec![],
        ),
        (
            of("dora", "domain_admin", "Acme.example"),
            &request,
            vec!["e1", "e2"],
        ),
        (
            of("dora", "domain_admin", "other.example"),
            "/api/audit",
            vec!["e2", "e3"],
        ),
        (
            of("dora", "domain_admin", "other.example"),
            &request,
            vec!["e2"],
        ),
        (of("dora", "user", "other.example"), "/api/audit", vec![]),
    ] {
        let seen: BTreeSet<String> = seen.into_iter().map(ToOwned::to_owned).collect();
        assert_eq!(ids(&call(&cloud, path, &who).await), seen, "{who:?} {path}");
        let export = path.replace("/api/audit", "/api/audit/export");
        let export = format!(
            "{export}{}format=jsonl",
            if export.contains('?') { '&' } else { '?' }
        );
        let file = call(&cloud, &export, &who).await;
        let lines: Vec<String> = match &file.body {
            Value::String(text) => text.lines().map(ToOwned::to_owned).collect(),
            one => vec![one.to_string()],
        };
        assert_eq!(lines.len(), seen.len(), "{who:?} {export}");
    }
}

#[tokio::test]
async fn verification_is_limited_to_visible_events() {
    let cloud = TestCloud::start().await;
    stage(&cloud).await;
    for (who, path, status) in [
        (vec![], "/api/audit/verify".to_owned(), 200),
        (
            of(ANN, "user", "acme.example"),
            format!("/api/audit/verify?requestId={REQUEST}"),
            200,
        ),
        (
            of(BOB, "user", "other.example"),
            format!("/api/audit/verify?requestId={REQUEST}"),
            403,
        ),
        (
            of("dora", "domain_admin", "acme.example"),
            format!("/api/audit/verify?requestId={REQUEST}"),
            200,
        ),
        (
            of("dora", "domain_admin", "other.example"),
            format!("/api/audit/verify?requestId={REQUEST}"),
            403,
        ),
        (
            of(ANN, "user", "acme.example"),
            format!("/api/audit/verify?userId={ANN}"),
            403,
        ),
        (
            of(ANN, "user", "acme.example"),
            "/api/audit/verify".to_owned(),
            403,
        ),
        (
            vec![],
            "/api/audit/verify?requestId=a&userId=b".to_owned(),
            400,
        ),
        (vec![], "/api/audit/verify?cursor=AAAA".to_owned(), 400),
        (vec![], "/api/audit?cursor=!".to_owned(), 400),
        (vec![], "/api/audit?action=".to_owned(), 400),
    ] {
        let answer = call(&cloud, &path, &who).await;
        assert_eq!(answer.status, status, "{who:?} {path}: {answer:?}");
    }
}

#[tokio::test]
async fn queued_event_is_appended_once_despite_repeated_delivery() {
    let cloud = TestCloud::start().await;
    let mut event = signed(REQUEST);
    for member in ["timestamp", "domain"] {
        event.as_object_mut().unwrap().remove(member);
    }
    let request = cloud
        .request(Method::POST, "/api/queue/audit-events")
        .header("content-type", "application/json")
        .header("x-user-id", ANN)
        .header("x-user-domain", "acme.example")
        .body(event.to_string());
    let taken = answer(request).await;
    assert_eq!(taken.status, 202, "{taken:?}");
    let id = taken.body["jobId"].as_str().unwrap();
    let job = cloud.wait_for(id, "completed").await;
    assert_eq!(job["result"]["auditLogCreated"], true, "{job}");
    assert_eq!(job["result"]["chain"], format!("request:{REQUEST}"));
    // The message without a record, as the official client publishes it, twice.
    event["eventId"] = json!(id);
    for message in ["msg_1", "msg_2"] {
        let delivered = cloud.deliver_as(message, "audit-log", &event).await;
        assert_eq!(delivered.status, 200, "{delivered:?}");
    }
    let page = cloud.get("/api/audit").await;
    assert_eq!(page.body["items"].as_array().unwrap().len(), 1, "{page:?}");
    assert_eq!(page.body["items"][0]["domain"], "acme.example");
    let verdict = cloud
        .get(&format!("/api/audit/verify?requestId={REQUEST}"))
        .await;
    assert_eq!(
        verdict.body,
        json!({ "valid": true, "events": 1, "chains": 1, "unchained": 0 })
    );
}

#[tokio::test]
async fn unacceptable_event_is_refused_before_queueing_and_not_retried() {
    let cloud = TestCloud::start().await;
    for (bad, pointer) in [
        (json!({ "resourceType": "user" }), ""),
        (
            json!({ "action": "a", "resourceType": " " }),
            "/resourceType",
        ),
        (
            json!({ "action": "a", "resourceType": "user", "details": { "a": "\u{0}" } }),
            "/details",
        ),
        (
            json!({ "action": "a", "resourceType": "user", "timestamp": "soon" }),
            "/timestamp",
        ),
        (
            json!({ "action": "a", "resourceType": "user", "details": "x".repeat(70_000) }),
            "",
        ),
    ] {
        let refused = cloud.post("/api/queue/audit-events", &bad).await;
        refused.assert_invalid(pointer, &format!("{pointer:?}"));
        let delivered = cloud.deliver("audit-log", &bad).await;
        assert_eq!(delivered.status, 489, "{pointer:?}: {delivered:?}");
    }
}

#[tokio::test]
async fn export_is_complete_and_safe_for_spreadsheets() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    database
        .execute("select public.signtusk_append_audit_event(jsonb_build_object('action', 'view', 'resourceType', 'document', \
              'userId', 'u' || n % 3, 'details', repeat('x', 4000), 'timestamp', 1700000000000 + n)) \
              from generate_series(1, 700) as n")
        .await;
    super::append(&database, "formula", json!({
        "action": "=HYPERLINK(\"http://evil.example\")", "resourceType": "document", "userAgent": "@\"x\",\r\ny" }))
    .await;
    let mut lines = Vec::new();
    let mut path = "/api/audit/export?format=jsonl".to_owned();
    loop {
        let page = call(&cloud, &path, &[]).await;
        assert_eq!(page.status, 200, "{page:?}");
        let text = page.body.as_str().unwrap();
        assert!(text.len() < 4_000_000);
        lines.extend(
            text.lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap()),
        );
        match page.headers.get("link") {
            Some(link) => {
                let link = link.to_str().unwrap();
                path = link
                    .strip_prefix('<')
                    .unwrap()
                    .strip_suffix(">; rel=\"next\"")
                    .unwrap()
                    .to_owned();
            }
            None => break,
        }
    }
    assert_eq!(lines.len(), 701);
    let ids: BTreeSet<&str> = lines
        .iter()
        .map(|line| line["eventId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 701);
    assert!(
        lines
            .iter()
            .all(|line| line["canonical"].is_string() && line["hash"].is_string())
    );
    let csv = call(
        &cloud,
        "/api/audit/export?resourceType=document&from=2025-01-01T00:00:00Z",
        &[],
    )
    .await;
    let text = csv.body.as_str().unwrap();
    let text = text
        .strip_prefix('\u{feff}')
        .expect("Excel knows UTF-8 by its mark");
    assert!(!text.contains('\u{feff}'), "once");
    let path = "/api/audit/export?resourceType=document&from=2025-01-01T00:00:00Z&bom=false";
    let without = call(&cloud, path, &[]).await;
    assert_eq!(without.body.as_str(), Some(text));
    let path = "/api/audit/export?format=jsonl&bom=true";
    let lines = call(&cloud, path, &[]).await;
    assert!(!lines.body.to_string().contains('\u{feff}'));
    assert!(
        text.starts_with("\"createdAt\",\"recordedAt\",\"action\","),
        "{text:.100}"
    );
    assert!(
        text.contains("\"'=HYPERLINK(\"\"http://evil.example\"\")\""),
        "{text}"
    );
    assert!(text.contains("\"'@\"\"x\"\",\r\ny\""), "{text}");
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
}
