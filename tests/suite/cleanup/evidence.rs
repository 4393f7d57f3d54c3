//! Evidence is deleted by retention alone, with its signed document, and counted correctly.

use bytes::Bytes;
use serde_json::json;
use shared::protocol::object_storage::Error;

use super::{bucket, count};
use crate::support::TestCloud;
use crate::support::ledger::LedgerDatabase;

const CLEANUP: &str = "cleanup-expired";

/// Creates a request that ended this number of days ago, with the location of its signed document.
async fn ended(database: &LedgerDatabase, id: &str, days: u32, signed: &str) {
    database
        .execute(&format!(
            "insert into public.signing_requests (id, status, final_pdf_url, created_at, completed_at, updated_at) \
             select '{id}', 'completed', '{signed}', at, at, at from (select now() - interval '{days} days' as at) as ended"
        ))
        .await;
}

fn id(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

#[tokio::test]
async fn signed_document_is_kept_for_its_retention_and_removed_with_its_request() {
    let cloud = TestCloud::start().await;
    let (database, signed) = (LedgerDatabase::of(&cloud), bucket(&cloud, "SIGNED_BUCKET"));
    let key = |number| format!("{}/final.pdf", id(number));
    for number in 1..=5 {
        let body = Bytes::from_static(b"%PDF-1.7");
        signed
            .put(&key(number), "application/pdf", body)
            .await
            .unwrap();
    }
    let url = |key: &str| format!("{}/signed/{key}", cloud.objects().url());
    ended(&database, &id(1), 2600, &key(1)).await;
    ended(&database, &id(2), 2600, &url(&key(2))).await;
    ended(&database, &id(3), 2500, &key(3)).await;
    // Its row names another request's document, which is evidence in any case.
    ended(&database, &id(4), 2600, &key(5)).await;
    let dry = cloud.deliver(CLEANUP, &json!({ "dryRun": true })).await;
    let tasks = &dry.body["result"]["tasks"];
    assert_eq!(tasks["endedRequests"]["wouldRemove"], 3, "{dry:?}");
    assert_eq!(count(&database, "public.signing_requests").await, 4);

    let done = cloud.deliver_as("run-1", CLEANUP, &json!({})).await;
    let task = &done.body["result"]["tasks"]["endedRequests"];
    assert_eq!(
        task,
        &json!({ "removed": 3, "detail": { "objectsLeft": 1 } }),
        "{done:?}"
    );
    assert_eq!(count(&database, "public.signing_requests").await, 1);
    for (number, is_there) in [(1, false), (2, false), (3, true), (4, true), (5, true)] {
        let found = signed.head(&key(number)).await;
        assert_eq!(found.is_ok(), is_there, "{number}: {found:?}");
        assert!(is_there || matches!(found, Err(Error::Missing)));
    }
}

#[tokio::test]
async fn requests_kept_longer_do_not_hide_later_ones() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    database
        .execute("insert into public.user_profiles (id, email) values ('00000000-0000-4000-8000-000000000001', 'ann@slow.example'); \
              insert into public.domain_settings (domain, default_retention_days) values ('slow.example', 3650); \
              insert into public.signing_requests (initiated_by, status, created_at, completed_at, updated_at) \
                select case when n % 2 = 0 then '00000000-0000-4000-8000-000000000001'::uuid end, 'completed', at, at, at \
                from (select n, now() - (2600 * interval '1 day') + n * interval '1 second' as at \
                  from generate_series(1, 500) as n) as made")
        .await;
    let done = cloud.deliver_as("run-1", CLEANUP, &json!({})).await;
    let task = &done.body["result"]["tasks"]["endedRequests"];
    assert_eq!(task["removed"], 250, "{done:?}");
    assert_eq!(count(&database, "public.signing_requests").await, 250);
}

#[tokio::test]
async fn retention_of_the_database_longer_than_the_functions_is_not_a_failure() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    database
        .execute(
            "update signtusk.retention set days = 3000; \
              insert into public.audit_logs (action, created_at) values \
                ('view', now() - interval '2600 days'), ('view', now() - interval '3001 days')",
        )
        .await;
    ended(&database, &id(1), 2600, "").await;
    ended(&database, &id(2), 3001, "").await;
    let dry = cloud.deliver(CLEANUP, &json!({ "dryRun": true })).await;
    let done = cloud.deliver_as("run-1", CLEANUP, &json!({})).await;
    assert_eq!(done.status, 200, "{done:?}");
    for task in ["endedRequests", "auditEvents"] {
        let (would, did) = (
            &dry.body["result"]["tasks"][task]["wouldRemove"],
            &done.body["result"]["tasks"][task]["removed"],
        );
        assert_eq!((would, did), (&json!(1), &json!(1)), "{task}");
    }
}

/// The count is part of the deletion: if it cannot be written, nothing is deleted.
#[tokio::test]
async fn rows_are_not_removed_if_the_count_cannot_be_written() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    ended(&database, &id(1), 2600, "").await;
    database
        .execute("insert into public.audit_logs (action, created_at) values ('view', now() - interval '2600 days'); \
              insert into public.temp_files (created_at) values (now() - interval '4 days'); \
              alter table signtusk.cleanup_runs add constraint broken check (removed = 0)")
        .await;
    let failed = cloud.deliver_as("run-1", CLEANUP, &json!({})).await;
    assert_eq!(failed.status, 503, "{failed:?}");
    for table in [
        "public.signing_requests",
        "public.audit_logs",
        "public.temp_files",
    ] {
        assert_eq!(count(&database, table).await, 1, "{table}");
    }
    database
        .execute("alter table signtusk.cleanup_runs drop constraint broken")
        .await;
    let done = cloud.deliver_as("run-1", CLEANUP, &json!({})).await;
    assert_eq!(done.body["result"]["totalCleaned"], 3, "{done:?}");
}
