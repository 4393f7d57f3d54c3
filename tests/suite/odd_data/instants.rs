//! Instants that are missing, infinite, or outside the years of RFC 3339, in the tables that the web app writes.

use http::Method;
use serde_json::{Value, json};
use shared::base::clock::Clock;
use shared::protocol::postgres::Postgres;
use shared::service::cleanup::Cleanup;
use uuid::Uuid;

use super::is_taken;
use crate::support::TestCloud;
use crate::support::cloud::answer;
use crate::support::ledger::LedgerDatabase;

const ODD: [&str; 8] = [
    "null",
    "'infinity'",
    "'-infinity'",
    "'10000-01-01'",
    "'294276-12-31'",
    "'0044-03-15 BC'",
    "'4713-01-02 BC'",
    "now()",
];

/// Returns every item of a list, page by page.
async fn pages(cloud: &TestCloud, path: &str, user: Uuid) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = format!("{path}?limit=2{cursor}");
        let request = cloud.request(Method::GET, &page);
        let page = answer(request.header("x-user-id", user.to_string())).await;
        assert_eq!(page.status, 200, "{page:?}");
        items.extend(page.body["items"].as_array().unwrap().clone());
        match page.body["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

fn is_rfc_3339(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok())
}

#[tokio::test]
async fn notification_of_any_instant_is_listed_once() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    let user = Uuid::new_v4();
    for at in ODD.iter().chain(&["null", "'infinity'", "'infinity'"]) {
        database
            .execute(&format!(
                "insert into public.notifications (user_id, type, title, message, created_at) \
                 values ('{user}', 'general', 'T', 'M', {at})"
            ))
            .await;
    }
    let items = pages(&cloud, "/api/notifications", user).await;
    let ids: std::collections::BTreeSet<&str> = items
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect();
    assert_eq!((items.len(), ids.len()), (11, 11));
    assert!(items.iter().all(|item| is_rfc_3339(&item["createdAt"])));
}

#[tokio::test]
async fn audit_row_of_any_instant_is_listed_once_and_exported() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    let user = Uuid::new_v4();
    database
        .execute("alter table public.audit_logs disable trigger user")
        .await;
    for at in ODD {
        database
            .execute(&format!(
                "insert into public.audit_logs (user_id, action, created_at) values ('{user}', 'view', {at})"
            ))
            .await;
    }
    let items = pages(&cloud, "/api/audit", user).await;
    assert_eq!(items.len(), ODD.len(), "{items:#?}");
    assert!(items.iter().all(|item| is_rfc_3339(&item["createdAt"])));
    let export = cloud.request(Method::GET, "/api/audit/export?format=jsonl");
    assert_eq!(export.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn session_with_an_odd_instant_does_not_hide_the_others() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    let user = Uuid::new_v4();
    let columns = [
        "created_at",
        "last_used_at",
        "expires_at",
        "totp_verified_at",
        "rotated_at",
    ];
    for (number, column) in columns.iter().enumerate() {
        for (place, at) in ODD.iter().enumerate() {
            database
                .execute(&format!(
                    "insert into public.user_sessions (session_id, user_id, email, refresh_token_hash, totp_verified)
                     values ('s-{number}-{place}', '{user}', 'a@example.com', 'h', true);
                     update public.user_sessions set {column} = {at} where session_id = 's-{number}-{place}'"
                ))
                .await;
        }
    }
    let list = cloud.get(&format!("/api/users/{user}/sessions")).await;
    assert_eq!(list.status, 200, "{list:?}");
    let now = list.body["items"].as_array().unwrap().iter();
    let ids: Vec<&str> = now
        .map(|item| item["sessionId"].as_str().unwrap())
        .collect();
    for number in [0, 1, 3, 4] {
        assert!(
            ids.contains(&format!("s-{number}-7").as_str()),
            "{number}: {ids:?}"
        );
    }
    // A session that starts in the future or at infinity is invalid; one that ends in the far future ends after 30
    // days.
    for gone in ["s-0-1", "s-0-3", "s-0-4", "s-1-1", "s-2-2", "s-2-5"] {
        assert!(!ids.contains(&gone), "{gone}: {ids:?}");
        assert_eq!(
            cloud.get(&format!("/api/sessions/{gone}")).await.status,
            404,
            "{gone}"
        );
    }
    let kept = cloud.get("/api/sessions/s-2-1").await;
    assert_eq!(kept.status, 200, "{kept:?}");
    assert!(is_rfc_3339(&kept.body["expiresAt"]));
    let revoked =
        answer(cloud.request(Method::DELETE, &format!("/api/users/{user}/sessions"))).await;
    assert_eq!(revoked.status, 204, "{revoked:?}");
    assert_eq!(cloud.get("/api/sessions/s-2-1").await.status, 404);
}

#[tokio::test]
async fn request_with_an_odd_instant_is_cached_and_does_not_block_cleanup() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    let maker = Uuid::new_v4();
    database
        .execute(&format!(
            "insert into public.user_profiles (id, email) values ('{maker}', 'a@far.example');
             insert into public.domain_settings (domain, default_retention_days) values ('far.example', 2147483647)"
        ))
        .await;
    let columns = [
        "created_at",
        "completed_at",
        "updated_at",
        "initiated_at",
        "expires_at",
    ];
    let mut requests = Vec::new();
    for column in columns {
        for at in ODD {
            let id = Uuid::new_v4();
            database
                .execute(&format!(
                    "insert into public.signing_requests (id, title, status, initiated_by)
                     values ('{id}', 'T', 'completed', '{maker}');
                     update public.signing_requests set {column} = {at} where id = '{id}'"
                ))
                .await;
            requests.push(id);
        }
    }
    for id in requests {
        for kind in ["documents", "signing-requests", "document-status"] {
            let entry = cloud.get(&format!("/api/cache/{kind}/{id}")).await;
            assert_eq!(entry.status, 200, "{entry:?}");
            for member in ["initiatedAt", "expiresAt", "completedAt"] {
                let at = &entry.body[member];
                assert!(at.is_null() || is_rfc_3339(at), "{kind} {member}: {at}");
            }
        }
    }
    let old = Uuid::new_v4();
    database
        .execute(&format!(
            "insert into public.signing_requests (id, status, created_at, completed_at, updated_at)
             values ('{old}', 'completed', '1990-01-01', '1990-01-01', '1990-01-01')"
        ))
        .await;
    let postgres = Postgres::at(cloud.variable("DATABASE_URL"), None).unwrap();
    let before = "2010-01-01T00:00:00Z".parse().unwrap();
    let page = Cleanup::new(postgres)
        .ended_requests(before, None)
        .await
        .unwrap();
    let may_go: Vec<&str> = page
        .iter()
        .filter(|it| it.may_go)
        .map(|it| it.id.as_str())
        .collect();
    assert_eq!(may_go, [old.to_string()]);
}

#[tokio::test]
async fn odd_instant_as_an_argument_is_refused() {
    let database = LedgerDatabase::fresh().await;
    for at in [
        "'infinity'",
        "'-infinity'",
        "'10000-01-01'",
        "'0044-03-15 BC'",
    ] {
        let call =
            format!("select public.signtusk_enqueue_job('email', '{{}}', not_before => {at})");
        assert!(!is_taken(&database, &call).await, "{at}");
    }
    for at in ["null", "now()", "'2020-01-01'", "'2100-01-01'"] {
        let call =
            format!("select public.signtusk_enqueue_job('email', '{{}}', not_before => {at})");
        assert!(is_taken(&database, &call).await, "{at}");
    }
    let append = |timestamp: &Value| {
        let event = json!({ "action": "a", "resourceType": "b", "timestamp": timestamp });
        format!("select public.signtusk_append_audit_event('{event}')")
    };
    let soon = Clock::system().now() + jiff::SignedDuration::from_mins(6);
    for at in [
        json!("tomorrow"),
        json!("infinity"),
        json!("now"),
        json!("2026-01-01"),
        json!("2026-01-01T00:00:00"),
        json!("9999-01-01T00:00:00Z"),
        json!("10000-01-01T00:00:00Z"),
        json!(-1),
        json!(1e300),
        json!(soon.to_string()),
        json!(soon.as_millisecond()),
    ] {
        assert!(!is_taken(&database, &append(&at)).await, "{at}");
    }
    let skewed = Clock::system().now() + jiff::SignedDuration::from_mins(4);
    for at in [
        json!("2026-01-01T00:00:00Z"),
        json!("2026-01-01t01:00:00.123456+01:00"),
        json!(1_700_000_000_000_i64),
        json!(""),
        json!(null),
        json!(skewed.to_string()),
    ] {
        assert!(is_taken(&database, &append(&at)).await, "{at}");
    }
}

#[tokio::test]
async fn audit_event_of_the_future_is_refused_by_the_api() {
    let cloud = TestCloud::start().await;
    let at = Clock::system().now() + jiff::SignedDuration::from_mins(6);
    let event = json!({ "action": "a", "resourceType": "b", "timestamp": at.to_string() });
    let refused = cloud.post("/api/queue/audit-events", &event).await;
    refused.assert_invalid("/timestamp", "six minutes ahead");
}
