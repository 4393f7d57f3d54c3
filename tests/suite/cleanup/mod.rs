//! Clean-up: old data are deleted, young data and evidence are kept, and an interrupted run continues.

mod evidence;
mod files;
mod objects;
mod runs;

use serde_json::Value;
use shared::base::secret::Secret;
use shared::protocol::object_storage::Bucket;

use crate::support::TestCloud;
use crate::support::ledger::LedgerDatabase;

/// One row that is old enough and one that is not, in every swept table.
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

/// Fills every table; `young` is an age just below the limit.
async fn fill(database: &LedgerDatabase) {
    for (_, table, column, age) in ROWS {
        database
            .execute(&format!(
                "insert into {table} ({column}) values (now() - interval '{age}'), (now() + interval '1 minute')"
            ))
            .await;
    }
    database
        .execute(
            "insert into public.notification_logs (created_at, sent_at) values (null, now() - interval '91 days'), (null, now()); \
             insert into signtusk.email_events (provider, event_id, message_id, type, at, received_at) \
               values ('ses', 'old', 'm', 'send', now(), now() - interval '91 days'), ('ses', 'new', 'm', 'send', now(), now()); \
             insert into public.user_sessions (session_id, user_id, email, refresh_token_hash, created_at, last_used_at) \
               select id, gen_random_uuid(), 'ann@example.com', 'x', now() - begun * interval '1 day', now() - used * interval '1 day' \
               from (values ('idle', 9, 8.1), ('over', 31.1, 0), ('week', 8, 7.5), ('fresh', 1, 0)) as s (id, begun, used); \
             insert into signtusk.revoked_sessions (session_id, revoked_at, kept_until) \
               values ('old', now() - interval '31 days', now() - interval '1 second'), ('new', now(), now() + interval '1 day'); \
             insert into signtusk.outbox (kind, payload, published_at) \
               values ('invalidation', '{}', now() - interval '8 days'), ('invalidation', '{}', now() - interval '6 days'), \
                 ('invalidation', '{}', null)",
        )
        .await;
}

/// Returns one of a cloud's buckets, `DOCUMENTS_BUCKET` or `SIGNED_BUCKET`.
fn bucket(cloud: &TestCloud, variable: &str) -> Bucket {
    let secret = Secret::new(cloud.variable("DOCUMENTS_SECRET_KEY").to_owned());
    let endpoint = cloud.objects().url().parse().unwrap();
    let key_id = cloud.variable("DOCUMENTS_ACCESS_KEY");
    Bucket::at(&endpoint, cloud.variable(variable), key_id, secret).unwrap()
}

async fn count(database: &LedgerDatabase, table: &str) -> Value {
    database
        .read(&format!("select to_jsonb(count(*)) as value from {table}"))
        .await
}
