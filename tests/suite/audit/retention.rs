//! Retention: expired events are deleted with a signed checkpoint, and no younger event is deleted.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shared::base::clock::Clock;
use shared::service::audit::{Audit, Error, Kind, Retirable, Scope};

use super::tampered::{signer, tamper, verify};
use super::{append, signed};
use crate::support::ledger::LedgerDatabase;

/// Writes five events, the first three of them eight years ago.
async fn aged(database: &LedgerDatabase) {
    // The database's clock cannot be set, so its function gets another time.
    let body = database
        .read("select to_jsonb(pg_get_functiondef('public.signtusk_append_audit_event(jsonb)'::regprocedure)) as value")
        .await;
    let body = body.as_str().unwrap();
    let then = body.replace(
        "clock_timestamp()",
        "clock_timestamp() - interval '2920 days'",
    );
    database.execute(&then).await;
    for n in 1..=3 {
        append(database, &format!("a{n}"), signed("r1")).await;
    }
    database.execute(body).await;
    for n in 4..=5 {
        append(database, &format!("a{n}"), signed("r1")).await;
    }
}

fn days_ago(days: i64) -> Timestamp {
    Clock::system().now() - SignedDuration::from_hours(24 * days)
}

/// Deletes the expired part of the request's chain and returns the number of deleted events.
async fn retire(database: &LedgerDatabase, days: i64) -> Result<u64, Error> {
    let audit = Audit::new(database.functions.clone());
    let found = audit
        .retirable(&signer(), "request:r1", days_ago(days))
        .await;
    let Retirable::Ready(checkpoint) = found? else {
        return Ok(0);
    };
    let transaction = database.functions.transaction().await?;
    let removed = checkpoint.put(&transaction).await?;
    transaction.commit().await?;
    Ok(removed)
}

#[tokio::test]
async fn old_events_are_removed_and_the_rest_still_verifies() {
    let database = LedgerDatabase::fresh().await;
    aged(&database).await;
    let audit = Audit::new(database.functions.clone());
    let chains = audit.old_chains(days_ago(2555), "").await.unwrap();
    assert_eq!(chains, ["request:r1"]);
    assert_eq!(retire(&database, 2555).await.unwrap(), 3);
    assert_eq!(retire(&database, 2555).await.unwrap(), 0);
    let left = verify(&database, &Scope::All).await;
    assert_eq!((left.valid, left.events), (true, 2), "{left:?}");
    assert_eq!(append(&database, "a6", signed("r1")).await.sequence, 6);
    // Events that retention did not delete are still detected as missing.
    tamper(
        &database,
        "delete from public.audit_logs where event_id = 'a4'",
    )
    .await;
    let broken = verify(&database, &Scope::All).await.first_broken.unwrap();
    assert_eq!((broken.kind, broken.sequence), (Kind::Missing, 4));
}

#[tokio::test]
async fn database_refuses_to_remove_events_within_retention() {
    let database = LedgerDatabase::fresh().await;
    aged(&database).await;
    let young = retire(&database, 0).await;
    assert!(young.is_err(), "{young:?}");
    let forged = database
        .functions
        .batch("select signtusk.retire_audit_events('request:r1', 2, '{}', repeat('a', 64))")
        .await;
    assert!(forged.is_err());
    assert_eq!(verify(&database, &Scope::All).await.events, 5);
    // The owner may shorten it.
    database
        .execute("update signtusk.retention set days = 3000 where what = 'audit'")
        .await;
    assert!(retire(&database, 2555).await.is_err());
    assert_eq!(verify(&database, &Scope::All).await.events, 5);
}

#[tokio::test]
async fn broken_chain_is_kept_as_evidence() {
    let database = LedgerDatabase::fresh().await;
    aged(&database).await;
    tamper(
        &database,
        "update public.audit_logs set action = 'view' where event_id = 'a2'",
    )
    .await;
    let audit = Audit::new(database.functions.clone());
    let retired = audit
        .retirable(&signer(), "request:r1", days_ago(2555))
        .await
        .unwrap();
    assert!(
        matches!(&retired, Retirable::Broken(broken) if broken.sequence == 2),
        "{retired:?}"
    );
    let count = database
        .read("select to_jsonb(count(*)) as value from public.audit_logs")
        .await;
    assert_eq!(count, json!(5));
}

#[tokio::test]
async fn unchained_rows_follow_the_same_retention() {
    let database = LedgerDatabase::fresh().await;
    database
        .execute("insert into public.audit_logs (action, created_at) values \
              ('view', now() - interval '2556 days'), ('view', now() - interval '2500 days'), ('view', now())")
        .await;
    let sql = "select signtusk.remove_unchained_audit_rows(now(), 100)";
    database.functions.batch(sql).await.unwrap();
    let count = database
        .read("select to_jsonb(count(*)) as value from public.audit_logs")
        .await;
    assert_eq!(count, json!(2));
}
