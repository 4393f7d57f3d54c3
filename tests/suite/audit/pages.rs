//! Verification runs page by page, concurrently with writers, and continues after a timeout.

use serde_json::Value;
use shared::service::audit::{Audit, Kind, Scope};
use tokio::time::Instant;

use super::signed;
use super::tampered::{broken, signer, tamper, verify};
use crate::support::ledger::LedgerDatabase;

#[tokio::test]
async fn concurrent_append_is_not_reported_as_a_broken_chain() {
    let database = LedgerDatabase::fresh().await;
    let writer = {
        let audit = Audit::new(database.connect());
        tokio::spawn(async move {
            for n in 0..150 {
                let event: Value = signed(&format!("r{}", n % 2));
                audit
                    .append(&format!("e{n}"), &super::event(event))
                    .await
                    .unwrap();
            }
        })
    };
    while !writer.is_finished() {
        let verdict = verify(&database, &Scope::All).await;
        assert!(verdict.valid, "{verdict:?}");
    }
    writer.await.unwrap();
    assert_eq!(verify(&database, &Scope::All).await.events, 150);
}

/// Writes 1,250 events of two users each: more than one page.
async fn long_history(database: &LedgerDatabase) {
    for _ in 0..5 {
        database
            .execute(
                "select public.signtusk_append_audit_event(jsonb_build_object('action', 'view', \
                 'resourceType', 'user', 'userId', 'u' || n % 2)) from generate_series(1, 500) as n",
            )
            .await;
    }
}

#[tokio::test]
async fn change_is_found_on_any_page() {
    let database = LedgerDatabase::fresh().await;
    long_history(&database).await;
    let untouched = verify(&database, &Scope::All).await;
    assert_eq!((untouched.valid, untouched.events), (true, 2500));
    // From the last page to the first, and on both sides of a page break.
    for (chain, place) in [
        ("user:u1", 1250),
        ("user:u1", 751),
        ("user:u1", 750),
        ("user:u0", 1001),
    ] {
        let change = format!(
            "update public.audit_logs set user_agent = 'another' where chain = '{chain}' and sequence = {place}"
        );
        tamper(&database, &change).await;
        let found = broken(&database).await;
        assert_eq!(
            (found.chain.as_str(), found.sequence, found.kind),
            (chain, place, Kind::Column)
        );
    }
}

#[tokio::test]
async fn verification_resumes_where_its_time_ended() {
    let database = LedgerDatabase::fresh().await;
    long_history(&database).await;
    for scope in [Scope::All, Scope::User("u1".into())] {
        let audit = Audit::new(database.functions.clone());
        let (mut events, mut calls, mut reached) = (0, 0, None);
        loop {
            let verdict = audit
                .verify(&signer(), &scope, reached, Instant::now())
                .await
                .unwrap();
            assert!(verdict.valid, "{verdict:?}");
            events += verdict.events;
            calls += 1;
            reached = verdict.reached;
            if reached.is_none() {
                break;
            }
        }
        let all = if scope == Scope::All { 2500 } else { 1250 };
        assert_eq!(events, all);
        assert!(calls > 1 || scope != Scope::All, "it was not interrupted");
    }
}
