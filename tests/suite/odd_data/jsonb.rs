//! JSON that `jsonb` accepts and JSON parsers reject: deeply nested, or with numbers beyond a double.

use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};
use shared::service::audit::{Audit, Filter, PageRequest, Viewer};
use uuid::Uuid;

use super::{is_taken, quoted, samples};
use crate::outbox::{ping, result};
use crate::support::TestCloud;
use crate::support::cloud::answer;
use crate::support::ledger::LedgerDatabase;
use crate::support::payloads::signature_request;

/// Returns nested lists.
fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

/// Generates a document of random depth, with random numbers and strings, and whether it can be parsed.
fn document() -> impl Strategy<Value = (String, bool)> {
    let number = prop_oneof![
        Just(("1e400".to_owned(), false)),
        Just(("-1e309".to_owned(), false)),
        Just(("1e-400".to_owned(), true)),
        Just(("12345678901234567890123".to_owned(), true)),
        any::<f64>()
            .prop_filter("finite", |it| it.is_finite())
            .prop_map(|it| (it.to_string(), true)),
        any::<i64>().prop_map(|it| (it.to_string(), true)),
        any::<String>().prop_map(|it| (json!(it.replace('\0', "")).to_string(), true)),
    ];
    let depth = prop_oneof![Just(0_usize), 1..90_usize, 100..130_usize, 130..900_usize];
    (number, depth).prop_map(|((leaf, is_readable), depth)| {
        // The member itself is one level.
        let text = format!("{}{leaf}{}", "[".repeat(depth), "]".repeat(depth));
        (text, is_readable && depth < 100)
    })
}

/// Disables the check, for rows that were stored anyway.
const STORE_ALL: &str = "create or replace function signtusk.is_readable(value jsonb) returns boolean \
    language sql immutable as 'select true'";

#[tokio::test]
async fn unreadable_payload_is_refused_by_every_sql_entry_point() {
    let database = LedgerDatabase::fresh().await;
    let user = Uuid::new_v4();
    for bad in [
        nested(100),
        nested(2000),
        "1e400".to_owned(),
        "-1e309".to_owned(),
    ] {
        for call in [
            format!("public.signtusk_enqueue_job('email', '{{\"a\": {bad}}}')"),
            format!(
                "public.signtusk_create_notification('{user}', 'general', 'T', 'M', '{{\"a\": {bad}}}')"
            ),
            format!(
                "public.signtusk_append_audit_event('{{\"action\": \"a\", \"resourceType\": \"b\", \"details\": {bad}}}')"
            ),
        ] {
            assert!(
                !is_taken(&database, &format!("select {call}")).await,
                "{call}"
            );
        }
    }
    let fits = format!(
        "select public.signtusk_enqueue_job('email', '{{\"a\": {}}}')",
        nested(99)
    );
    assert!(
        is_taken(&database, &fits).await,
        "as deep as the API takes it"
    );
}

/// A random document beside a normal row, at every entry point: the normal one is always served.
#[tokio::test]
async fn random_jsonb_beside_an_ordinary_row_does_not_block_that_row() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    let documents = samples(&document(), 40);
    let user = Uuid::new_v4();
    for round in [0, 1] {
        for (document, is_readable) in &documents {
            let body = quoted(&format!("{{\"a\": {document}}}"));
            let event = quoted(&format!(
                "{{\"action\": \"a\", \"resourceType\": \"b\", \"userId\": \"{user}\", \"details\": {document}}}"
            ));
            let calls = [
                format!("select public.signtusk_enqueue_job('email', {body})"),
                format!(
                    "select public.signtusk_create_notification('{user}', 'general', 'T', 'M', {body})"
                ),
                format!("select public.signtusk_append_audit_event({event})"),
            ];
            for call in calls {
                let is_taken = is_taken(&database, &call).await;
                // Evidence is canonical, and a number beyond a double has no canonical form.
                if round == 0 || !call.contains("audit") {
                    assert_eq!(is_taken, *is_readable || round == 1, "{call}");
                }
            }
        }
        // In the second round everything is stored, as by a writer that bypassed the entry points.
        database.execute(STORE_ALL).await;
    }
    let mail = signature_request("ann@example.com");
    let id = database
        .read(&format!(
            "select to_jsonb(public.signtusk_enqueue_job('email', '{mail}')) as value"
        ))
        .await;
    let swept = ping(&cloud, "msg_odd").await;
    assert_eq!(swept.status, 200, "{swept:?}");
    cloud.wait_for(id.as_str().unwrap(), "completed").await;
    let waiting = "select to_jsonb(count(*)) as value from signtusk.outbox \
        where published_at is null and set_aside_at is null";
    assert_eq!(database.read(waiting).await, 0);

    let as_user = |path: &str| {
        let request = cloud.request(Method::GET, path);
        request.header("x-user-id", user.to_string())
    };
    for path in [
        "/api/notifications?limit=100",
        "/api/audit?limit=100",
        "/api/audit/export?format=csv",
        "/api/audit/export?format=jsonl",
    ] {
        let response = as_user(path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        // Not parsed here: this parser would reject it too.
        let text = response.text().await.unwrap();
        assert!(text.contains(&"[".repeat(130)), "{path}");
    }
}

#[tokio::test]
async fn unreadable_row_of_the_outbox_is_set_aside_alone() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    for (payload, not_before) in [
        (format!("{{\"a\": {}}}", nested(200)), "null"),
        ("{\"a\": 1e400}".to_owned(), "null"),
        (
            signature_request("old@example.com").to_string(),
            "'-infinity'",
        ),
        (
            signature_request("far@example.com").to_string(),
            "'infinity'",
        ),
    ] {
        database
            .execute(&format!(
                "insert into signtusk.outbox (kind, job_type, payload, not_before) \
                 values ('job', 'email', '{payload}', {not_before})"
            ))
            .await;
    }
    let mail = signature_request("ann@example.com");
    database
        .execute(&format!(
            "select public.signtusk_enqueue_job('email', '{mail}')"
        ))
        .await;
    let swept = ping(&cloud, "msg_1").await;
    assert_eq!(result(&swept)["setAside"], 2, "{swept:?}");
    crate::support::waiting::eventually("the ordinary mail goes", async || {
        cloud.mails().contains_key("ann@example.com")
    })
    .await;
    let reasons = "select jsonb_agg(reason order by seq) as value from signtusk.outbox where set_aside_at is not null";
    let reasons = database.read(reasons).await;
    for reason in reasons.as_array().unwrap() {
        let reason = reason.as_str().unwrap();
        assert!(reason.starts_with("the payload cannot be read"), "{reason}");
    }
}

#[tokio::test]
async fn unreadable_audit_event_is_listed_and_not_reported_as_tampered() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    database.execute(STORE_ALL).await;
    let details = format!("{{\"b\": {}, \"a\": [1, {{\"c\": \"d\"}}]}}", nested(300));
    for id in ["before", "deep", "after"] {
        let details = if id == "deep" { details.as_str() } else { "{}" };
        let event = format!(
            "{{\"eventId\": \"{id}\", \"action\": \"sign\", \"resourceType\": \"user\", \"userId\": \"ann\", \
              \"details\": {details}}}"
        );
        database
            .execute(&format!(
                "select public.signtusk_append_audit_event('{event}')"
            ))
            .await;
    }
    let verdict = cloud.get("/api/audit/verify").await;
    assert_eq!(verdict.body["valid"], true, "{verdict:?}");
    assert_eq!(verdict.body["events"], 3);
    let audit = Audit::new(database.functions.clone());
    let part = PageRequest {
        newest_first: true,
        limit: 10,
        cursor: None,
    };
    let page = audit
        .entries(&Viewer::All, &Filter::default(), &part)
        .await
        .unwrap();
    assert_eq!(page.items.len(), 3);
    database
        .execute(
            "alter table public.audit_logs disable trigger user;
             update public.audit_logs set details = jsonb_set(details, '{a}', '[2]') where event_id = 'deep'",
        )
        .await;
    let verdict = cloud.get("/api/audit/verify").await;
    assert_eq!(verdict.body["firstBroken"]["kind"], "column", "{verdict:?}");
    assert_eq!(
        verdict.body["firstBroken"]["eventId"], "deep",
        "{verdict:?}"
    );
}

#[tokio::test]
async fn body_nested_beyond_the_depth_limit_is_refused() {
    let cloud = TestCloud::start().await;
    for (levels, status) in [(98, 202), (99, 400), (120, 400)] {
        let data: Value = serde_json::from_str(&nested(levels)).unwrap();
        let body = json!({
            "type": "general", "userId": Uuid::new_v4(), "title": "T", "message": "M", "data": { "a": data },
        });
        let request = cloud.request(Method::POST, "/api/queue/notifications");
        let taken = answer(crate::support::cloud::with_json(request, &body)).await;
        assert_eq!(taken.status, status, "{levels}: {taken:?}");
    }
}
