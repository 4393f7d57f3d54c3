//! Appending: once each, in order, into the right chain, and to an existing table.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use shared::base::hex::hex;
use shared::service::audit::{Audit, Error};

use super::{append, event, row, signed};
use crate::support::ledger::LedgerDatabase;

/// Defect 62, the part about the audit log: two concurrent appends read the last link and both followed it.
#[tokio::test(flavor = "multi_thread")]
async fn fifty_appenders_on_one_chain_do_not_fork_it() {
    const APPENDERS: usize = 50;
    const EACH: usize = 4;
    let database = LedgerDatabase::fresh().await;
    let appenders = (0..APPENDERS).map(|appender| {
        let audit = Audit::new(database.connect());
        tokio::spawn(async move {
            for n in 0..EACH {
                let id = format!("{appender}-{n}");
                audit.append(&id, &event(signed("r1"))).await.unwrap();
            }
        })
    });
    for appender in appenders.collect::<Vec<_>>() {
        appender.await.unwrap();
    }
    let entries = database
        .read(
            "select jsonb_agg(jsonb_build_array(sequence, previous_hash, hash, canonical) order by sequence) as value \
             from public.audit_logs",
        )
        .await;
    let mut before = "0".repeat(64);
    for (place, entry) in entries.as_array().unwrap().iter().enumerate() {
        assert_eq!(entry[0], place + 1);
        assert_eq!(entry[1], before, "event {place} follows another one");
        before = entry[2].as_str().unwrap().to_owned();
        let hash = hex(&Sha256::digest(entry[3].as_str().unwrap()));
        assert_eq!(before, hash);
    }
    assert_eq!(entries.as_array().unwrap().len(), APPENDERS * EACH);
}

#[tokio::test(flavor = "multi_thread")]
async fn event_of_repeated_deliveries_is_appended_once() {
    let database = LedgerDatabase::fresh().await;
    let deliveries = (0..10).map(|_| {
        let audit = Audit::new(database.connect());
        tokio::spawn(async move { audit.append("job-1", &event(signed("r1"))).await.unwrap() })
    });
    let mut answers = BTreeSet::new();
    let mut fresh = 0;
    for delivery in deliveries.collect::<Vec<_>>() {
        let appended = delivery.await.unwrap();
        fresh += i32::from(!appended.repeated);
        answers.insert((appended.chain, appended.sequence, appended.hash));
    }
    assert_eq!((fresh, answers.len()), (1, 1));
    // The same id in another chain is still the same event, and leaves no gap there.
    let repeated = append(&database, "job-1", signed("r2")).await;
    assert_eq!(
        (repeated.repeated, repeated.chain.as_str()),
        (true, "request:r1")
    );
    assert_eq!(append(&database, "job-2", signed("r2")).await.sequence, 1);
}

#[tokio::test]
async fn event_is_chained_by_request_then_user_then_system() {
    let database = LedgerDatabase::fresh().await;
    let chain = async |id: &str, value: Value| append(&database, id, value).await.chain;
    let named = json!({ "action": "view", "resourceType": "document", "resourceId": "d1",
        "requestId": "r1", "userId": "ann" });
    assert_eq!(chain("1", named).await, "request:r1");
    assert_eq!(chain("2", signed("r2")).await, "request:r2");
    let login = json!({ "action": "login", "resourceType": "user", "userId": "ann" });
    assert_eq!(chain("3", login).await, "user:ann");
    let mut shards = BTreeSet::new();
    for n in 0..40 {
        let swept = json!({ "action": "admin_action", "resourceType": "organization" });
        shards.insert(chain(&format!("s{n}"), swept).await);
    }
    assert!(shards.len() > 4, "one hot chain: {shards:?}");
    assert!(shards.iter().all(|shard| shard.starts_with("system:")));
}

#[tokio::test]
async fn columns_match_the_canonical_text() {
    let database = LedgerDatabase::fresh().await;
    append(&database, "e1", signed("r1")).await;
    let row = row(&database, "e1").await;
    for (column, value) in [
        ("user_id", json!("ann")),
        ("action", json!("sign")),
        ("resource_type", json!("signing_request")),
        ("resource_id", json!("r1")),
        ("request_id", json!("r1")),
        ("domain", json!("example.com")),
        ("details", signed("r1")["details"].clone()),
        ("metadata", json!([1, "two", null])),
        ("ip_address", json!("192.0.2.7")),
        ("user_agent", json!("suite")),
        ("created_at", json!("2023-11-14T22:13:20+00:00")),
        ("sequence", json!(1)),
    ] {
        assert_eq!(row[column], value, "{column}");
    }
    let text = row["canonical"].as_str().unwrap();
    assert!(
        text.starts_with(
            r#"{"action":"sign","at":"2023-11-14T22:13:20.000000Z","chain":"request:r1""#
        ),
        "{text}"
    );
}

#[tokio::test]
async fn invalid_event_is_refused_by_name_and_leaves_no_gap() {
    let database = LedgerDatabase::fresh().await;
    let call = async |value: Value| {
        let sql = format!("select public.signtusk_append_audit_event('{value}') as value");
        database.functions.batch(&sql).await
    };
    for (bad, word) in [
        (json!([]), "action"),
        (json!({ "action": "sign" }), "resourceType"),
        (json!({ "action": {}, "resourceType": "user" }), "action"),
        (
            json!({ "action": "a".repeat(101), "resourceType": "user" }),
            "action",
        ),
        (
            json!({ "action": "a", "resourceType": "user", "timestamp": "x" }),
            "timestamp",
        ),
        (
            json!({ "action": "a", "resourceType": "user", "timestamp": 1e300 }),
            "timestamp",
        ),
        (
            json!({ "action": "a", "resourceType": "user", "timestamp": -5 }),
            "timestamp",
        ),
        (
            json!({ "action": "a", "resourceType": "user", "details": "x".repeat(66_000) }),
            "64 KB",
        ),
    ] {
        let error = call(bad.clone()).await.unwrap_err();
        assert!(format!("{error}").contains("22023"), "{bad}: {error}");
        assert!(format!("{error}").contains(word), "{bad}: {error}");
    }
    let audit = Audit::new(database.functions.clone());
    let large = json!({ "action": "a", "resourceType": "signing_request", "resourceId": "r1",
        "details": "x".repeat(66_000) });
    let refused = audit.append("e0", &event(large)).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    assert_eq!(append(&database, "e1", signed("r1")).await.sequence, 1);
}
