//! Clean-up: what is old goes, what is young or evidence stays, and an interrupted run is gone on with.

mod objects;
mod runs;

use serde_json::Value;

use crate::support::ledger::LedgerDatabase;

/// One row that is old enough and one that is not, in every table that is swept.
const ROWS: &[(&str, &str, &str, &str)] = &[
    (
        "expiredTokens",
        "public.email_verification_tokens",
        "expires_at",
        "1 hour",
    ),
    (
        "expiredTokens",
        "public.password_reset_tokens",
        "expires_at",
        "1 hour",
    ),
    ("tempFiles", "public.temp_files", "created_at", "73 hours"),
    (
        "notificationLogs",
        "public.notification_logs",
        "created_at",
        "91 days",
    ),
    (
        "oldAnalytics",
        "public.analytics_events",
        "created_at",
        "181 days",
    ),
    (
        "oldAnalytics",
        "public.performance_metrics",
        "date",
        "91 days",
    ),
];

/// Fills every table, with `young` in place of what is a little too young.
async fn fill(database: &LedgerDatabase) {
    for (_, table, column, age) in ROWS {
        database
            .say(&format!(
                "insert into {table} ({column}) values (now() - interval '{age}'), (now() + interval '1 minute')"
            ))
            .await;
    }
    database
        .say(
            "insert into public.notification_logs (created_at, sent_at) values (null, now() - interval '91 days'), (null, now()); \
             insert into signtusk.email_events (provider, event_id, message_id, type, at, received_at) \
               values ('ses', 'old', 'm', 'send', now(), now() - interval '91 days'), ('ses', 'new', 'm', 'send', now(), now()); \
             insert into signtusk.outbox (kind, payload, published_at) \
               values ('invalidation', '{}', now() - interval '8 days'), ('invalidation', '{}', now() - interval '6 days'), \
                 ('invalidation', '{}', null)",
        )
        .await;
}

async fn count(database: &LedgerDatabase, table: &str) -> Value {
    database
        .read(&format!("select to_jsonb(count(*)) as value from {table}"))
        .await
}
