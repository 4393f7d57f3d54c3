//! What a user does not want to hear of.

use serde_json::json;
use shared::service::notification::TYPES;

use super::{Stage, general, somebody};
use crate::support::ledger::LedgerDatabase;

#[tokio::test]
async fn a_preference_that_is_off_lets_nothing_through_and_nothing_else_is_held_back() {
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
        let user = somebody();
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
async fn the_table_of_types_has_every_type_of_the_code_and_no_other() {
    let database = LedgerDatabase::fresh().await;
    let sql = "select jsonb_agg(type order by type) as value from signtusk.notification_types";
    let mut types = TYPES.to_vec();
    types.sort_unstable();
    assert_eq!(database.read(sql).await, json!(types));
}
