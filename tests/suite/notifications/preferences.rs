//! Notifications that a user's preferences exclude.

use serde_json::json;
use shared::service::notification::TYPES;

use super::{Stage, general, new_user};
use crate::support::ledger::LedgerDatabase;

#[tokio::test]
async fn disabled_preference_suppresses_exactly_its_notification_types() {
    let stage = Stage::start().await;
    for (preference, held) in [
        (
            "signature_requests",
            vec!["signature_request", "sequential_signature_request"],
        ),
        (
            "document_updates",
            vec![
                "signature_completed",
                "document_expired",
                "pdf_generation_completed",
            ],
        ),
        ("reminders", vec!["document_expiry_warning", "reminder"]),
        ("marketing", vec![]),
        ("push_notifications", vec![]),
    ] {
        let user = new_user();
        let insert = format!(
            "insert into public.notification_preferences (user_id, {preference}) values ('{user}', false)"
        );
        stage.database.execute(&insert).await;
        let mut expected = 0;
        for kind in TYPES.iter().filter(|kind| **kind != "bulk_notification") {
            let mut payload = general(user);
            payload["type"] = (*kind).into();
            let result = stage.notify(&payload).await["result"].clone();
            let is_held = held.contains(kind);
            expected += i64::from(!is_held);
            assert_eq!(
                result["unwanted"],
                i64::from(is_held),
                "{preference}: {kind}"
            );
            assert_eq!(
                result["created"],
                i64::from(!is_held),
                "{preference}: {kind}"
            );
        }
        assert_eq!(stage.unread(user).await, expected, "{preference}");
        assert_eq!(
            i64::try_from(stage.events(user).await.len()).unwrap(),
            expected,
            "{preference}"
        );
    }
}

#[tokio::test]
async fn notification_types_table_matches_the_code() {
    let database = LedgerDatabase::fresh().await;
    let sql = "select jsonb_agg(type order by type) as value from signtusk.notification_types";
    let mut types = TYPES.to_vec();
    types.sort_unstable();
    assert_eq!(database.read(sql).await, json!(types));
}
