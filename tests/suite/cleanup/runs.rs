//! Runs through the real binary.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use shared::service::cleanup::{BATCH, Cleanup, Task};

use super::{ROWS, count, fill};
use crate::support::TestCloud;
use crate::support::ledger::LedgerDatabase;

const CLEANUP: &str = "cleanup-expired";

/// Returns the number of rows of each table.
async fn rows(database: &LedgerDatabase) -> BTreeMap<String, Value> {
    let own = [
        "signtusk.email_events",
        "public.user_sessions",
        "signtusk.revoked_sessions",
        "signtusk.outbox",
        "signtusk.cleanup_runs",
        "public.audit_logs",
    ];
    let tables = ROWS.iter().map(|(_, table, ..)| *table).chain(own);
    let mut rows = BTreeMap::new();
    for table in tables {
        rows.insert(table.to_owned(), count(database, table).await);
    }
    rows
}

#[tokio::test]
async fn cleanup_removes_old_rows_and_keeps_young_ones() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    fill(&database).await;
    let answer = cloud
        .deliver_as("run-1", CLEANUP, &json!({ "timestamp": 1 }))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let tasks = &answer.body["result"]["tasks"];
    for (task, removed) in [
        ("expiredSessions", 3),
        ("expiredTokens", 2),
        ("tempFiles", 1),
        ("notificationLogs", 2),
        ("mailLogs", 1),
        ("oldAnalytics", 2),
        ("publishedOutbox", 1),
        ("endedRequests", 0),
        ("auditEvents", 0),
    ] {
        assert_eq!(tasks[task]["removed"], removed, "{task}: {tasks:#}");
    }
    assert_eq!(answer.body["result"]["totalCleaned"], 12);
    for (_, table, ..) in ROWS {
        let left = if *table == "public.notification_logs" {
            2
        } else {
            1
        };
        assert_eq!(count(&database, table).await, left, "{table}");
    }
    assert_eq!(count(&database, "signtusk.outbox").await, 2);
    // Defect 22: a session last recorded in Postgres a week ago may have been used since.
    assert_eq!(count(&database, "public.user_sessions").await, 2);
    assert_eq!(count(&database, "signtusk.revoked_sessions").await, 1);
    // A repeated delivery does nothing more.
    let again = cloud.deliver_as("run-1", CLEANUP, &json!({})).await;
    assert_eq!(
        (again.status.as_u16(), &again.body["repeated"]),
        (200, &json!(true))
    );
    let about = cloud.get("/api/jobs/cleanup-expired").await;
    assert_eq!(about.body["service"], "Cleanup Job Handler");
    assert_eq!(
        about.body["cleanupTasks"].as_array().unwrap().len(),
        Task::ALL.len()
    );
    assert_eq!(about.body["retentionPolicies"]["auditEvents"], "2555 days");
}

#[tokio::test]
async fn dry_run_removes_nothing_and_reports_its_counts() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    fill(&database).await;
    let before = rows(&database).await;
    let answer = cloud.deliver(CLEANUP, &json!({ "dryRun": true })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["result"]["wouldClean"], 12, "{answer:?}");
    assert_eq!(rows(&database).await, before);
}

/// Defect 44: the original deleted both after a year.
#[tokio::test]
async fn audit_events_and_completed_requests_are_kept_beyond_a_year() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    for days in [400, 2500, 2600] {
        database
            .execute(&format!(
                "insert into public.signing_requests (status, created_at, completed_at, updated_at) values \
                 ('completed', now() - interval '{days} days', now() - interval '{days} days', now() - interval '{days} days'); \
                 insert into public.audit_logs (action, created_at) values ('sign', now() - interval '{days} days')"
            ))
            .await;
    }
    // Long open, and completed yesterday; and one whose organisation has a longer retention.
    database
        .execute(
            "insert into public.signing_requests (status, created_at, updated_at) values \
               ('in_progress', now() - interval '2600 days', now() - interval '2600 days'); \
             insert into public.signing_requests (status, created_at, completed_at) values \
               ('completed', now() - interval '2600 days', now() - interval '1 day'); \
             insert into public.user_profiles (id, email) values ('00000000-0000-4000-8000-000000000001', 'ann@slow.example'); \
             insert into public.domain_settings (domain, default_retention_days) values ('slow.example', 3650); \
             insert into public.signing_requests (initiated_by, status, created_at, completed_at, updated_at) values \
               ('00000000-0000-4000-8000-000000000001', 'completed', now() - interval '2600 days', \
                now() - interval '2600 days', now() - interval '2600 days')",
        )
        .await;
    let answer = cloud.deliver(CLEANUP, &json!({})).await;
    let tasks = &answer.body["result"]["tasks"];
    assert_eq!(tasks["endedRequests"]["removed"], 1, "{answer:?}");
    assert_eq!(tasks["auditEvents"]["removed"], 1, "{answer:?}");
    assert_eq!(count(&database, "public.signing_requests").await, 5);
    assert_eq!(count(&database, "public.audit_logs").await, 2);
}

/// Defects 46 to 48: KEYS over patterns that match nothing, and deletion of every key without a TTL.
#[tokio::test]
async fn keys_without_a_ttl_are_reported_and_none_is_removed() {
    let cloud = TestCloud::start().await;
    let mut redis = cloud.redis_connection().await;
    for key in [
        "perf:/api/x:2026-01-01",
        "password_reset:abc",
        "session:without-end",
    ] {
        let () = redis::cmd("SET")
            .arg(key)
            .arg("1")
            .query_async(&mut redis)
            .await
            .unwrap();
    }
    let () = redis::cmd("SET")
        .arg("perf:ends")
        .arg("1")
        .arg("EX")
        .arg(60)
        .query_async(&mut redis)
        .await
        .unwrap();
    let answer = cloud.deliver(CLEANUP, &json!({})).await;
    let seen = &answer.body["result"]["tasks"]["cacheKeys"]["detail"];
    assert_eq!(seen["complete"], true, "{answer:?}");
    assert_eq!(seen["withoutTtl"]["unknown perf:*"], 1, "{seen:#}");
    let named = seen["withoutTtl"].as_object().unwrap().keys();
    assert!(
        named.clone().any(|name| name.contains("password_reset")),
        "{seen:#}"
    );
    assert!(
        named.clone().any(|name| name.contains("session")),
        "{seen:#}"
    );
    for key in [
        "perf:/api/x:2026-01-01",
        "password_reset:abc",
        "session:without-end",
        "perf:ends",
    ] {
        let there: i64 = redis::cmd("EXISTS")
            .arg(key)
            .query_async(&mut redis)
            .await
            .unwrap();
        assert_eq!(there, 1, "{key} is missing");
    }
    let commands: String = redis::cmd("INFO")
        .arg("commandstats")
        .query_async(&mut redis)
        .await
        .unwrap();
    assert!(!commands.contains("cmdstat_keys:"), "KEYS was called");
}

#[tokio::test]
async fn killed_run_resumes_and_its_count_is_correct() {
    let database = LedgerDatabase::fresh().await;
    database
        .execute(
            "insert into public.analytics_events (created_at) \
              select now() - interval '200 days' from generate_series(1, 12345)",
        )
        .await;
    let sweep = &Task::OldAnalytics.sweeps()[0];
    let mut kills = 0;
    loop {
        let cleanup = Cleanup::new(database.connect());
        let run = async {
            while cleanup
                .sweep("run-1", Task::OldAnalytics, sweep)
                .await
                .unwrap()
                == BATCH
            {}
        };
        // Dropped in the middle of a statement, with its connection.
        let patience = Duration::from_millis(20 + 20 * kills);
        if tokio::time::timeout(patience, run).await.is_ok() {
            break;
        }
        kills += 1;
    }
    assert!(kills > 0, "it was never killed");
    let states = Cleanup::new(database.functions.clone())
        .states("run-1")
        .await
        .unwrap();
    assert_eq!(
        (states[0].removed, states[0].done),
        (12_345, false),
        "after {kills} kills"
    );
    assert_eq!(count(&database, "public.analytics_events").await, 0);
}
