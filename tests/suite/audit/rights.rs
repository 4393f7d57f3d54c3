//! Rights on the log: the functions and the web app may append, and no role may change or delete.

use serde_json::json;

use super::{append, row, signed};
use crate::support::ledger::LedgerDatabase;

/// Returns Postgres's answer to a statement of a role.
async fn answer_to(database: &LedgerDatabase, role: &str, sql: &str) -> String {
    let (connection, set) = match role {
        "functions" => (&database.functions, String::new()),
        role => (&database.owner, format!("set local role {role}")),
    };
    connection.batch("begin").await.unwrap();
    connection.batch(&set).await.unwrap();
    let answer = match connection.batch(sql).await {
        Ok(()) => "done".to_owned(),
        Err(error) => error.to_string(),
    };
    connection.batch("rollback").await.unwrap();
    answer
}

const APPEND: &str =
    r#"select public.signtusk_append_audit_event('{"action":"a","resourceType":"user"}')"#;

#[tokio::test]
async fn product_roles_can_neither_change_nor_remove_an_event() {
    let database = LedgerDatabase::fresh().await;
    append(&database, "e1", signed("r1")).await;
    let before = row(&database, "e1").await;
    // As in Supabase's own defaults.
    database
        .execute("grant all on all tables in schema public to service_role")
        .await;
    for role in ["functions", "service_role", "postgres"] {
        for change in [
            "update public.audit_logs set action = 'view'",
            "delete from public.audit_logs",
            "truncate public.audit_logs",
            "insert into public.audit_logs (action, chain, sequence) values ('a', 'request:r1', 2)",
            "insert into public.audit_logs (action, event_id) values ('a', 'e2')",
        ] {
            if role == "postgres" && change.starts_with("insert") {
                continue; // whoever owns the table can do anything with it
            }
            let answer = answer_to(&database, role, change).await;
            assert!(answer.contains("42501"), "{role}: {change}: {answer}");
            let in_retention = format!(
                "select set_config('signtusk.audit_retiring', pg_current_xact_id()::text, true); {change}"
            );
            if role != "postgres" {
                let answer = answer_to(&database, role, &in_retention).await;
                assert!(answer.contains("42501"), "{role}: {in_retention}: {answer}");
            }
        }
    }
    assert_eq!(row(&database, "e1").await, before);
}

#[tokio::test]
async fn functions_and_web_app_may_append_and_visitors_may_not() {
    let database = LedgerDatabase::fresh().await;
    for role in ["functions", "service_role"] {
        assert_eq!(answer_to(&database, role, APPEND).await, "done", "{role}");
    }
    for role in ["anon", "authenticated"] {
        let answer = answer_to(&database, role, APPEND).await;
        assert!(answer.contains("42501"), "{role}: {answer}");
    }
    for role in ["anon", "authenticated", "service_role"] {
        for call in [
            "select signtusk.retire_audit_events('a', 1, '{}', '')",
            "select signtusk.remove_unchained_audit_rows(now(), 1)",
            "update signtusk.audit_chains set sequence = 0",
            "update signtusk.retention set days = 1",
        ] {
            let answer = answer_to(&database, role, call).await;
            assert!(answer.contains("42501"), "{role}: {call}: {answer}");
        }
    }
    for change in [
        "update signtusk.audit_chains set sequence = 0",
        "delete from signtusk.audit_chains",
        "update signtusk.retention set days = 1",
    ] {
        let answer = answer_to(&database, "functions", change).await;
        assert!(answer.contains("42501"), "{change}: {answer}");
    }
}

#[tokio::test]
async fn existing_table_keeps_its_rows_and_accepts_events() {
    let database = LedgerDatabase::fresh().await;
    let migration = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/migrations/0008_audit.sql"
    ))
    .unwrap();
    database
        .execute(
            "drop table public.audit_logs cascade; \
             create table public.audit_logs ( \
               id bigint generated always as identity primary key, \
               user_id uuid not null references public.user_profiles (id) on delete cascade, \
               action varchar(50) not null, resource_type varchar(50) not null, resource_id uuid, \
               details text, metadata jsonb default '{}', ip_address inet, user_agent text, \
               created_at timestamp default now()); \
             insert into public.user_profiles (id, email) \
               values ('00000000-0000-4000-8000-000000000001', 'ann@example.com'); \
             insert into public.audit_logs (user_id, action, resource_type) \
               values ('00000000-0000-4000-8000-000000000001', 'view', 'document')",
        )
        .await;
    for _ in 0..2 {
        database.execute(&migration).await;
    }
    let ann = "00000000-0000-4000-8000-000000000001";
    let mut known = signed(ann);
    known["userId"] = json!(ann);
    known["ipAddress"] = json!("2001:DB8::1");
    append(&database, "e1", known).await;
    let mut unknown = signed("r1");
    unknown["ipAddress"] = json!("unknown");
    append(&database, "e2", unknown).await;
    database.execute("delete from public.user_profiles").await;

    let fits = row(&database, "e1").await;
    assert_eq!(
        (&fits["user_id"], &fits["resource_id"]),
        (&json!(ann), &json!(ann))
    );
    assert_eq!(fits["ip_address"], "2001:db8::1");
    assert_eq!(fits["created_at"], "2023-11-14T22:13:20");
    let details = fits["details"].as_str().unwrap();
    assert!(details.contains("Lease of a flat"), "{details}");
    let fits_not = row(&database, "e2").await;
    for column in ["user_id", "resource_id", "ip_address"] {
        assert!(fits_not[column].is_null(), "{column}");
    }
    let text = fits_not["canonical"].as_str().unwrap();
    assert!(
        text.contains(r#""userId":"ann""#) && text.contains(r#""ipAddress":"unknown""#),
        "{text}"
    );
    let count = database
        .read("select to_jsonb(count(*)) as value from public.audit_logs")
        .await;
    assert_eq!(count, 3);
}
