//! Many concurrent readers: one queries the database, the others get its result. Defect 56 of the original: a stampede.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use local::cloud::Database;
use serde_json::json;
use shared::service::cache::{Caches, Found, Generation, Source, Viewer, Waits, kind};

use super::{
    DOMAIN, Fixture, OWNER, REQUEST, STRANGER, came_from, cloud_with, counting, path, read,
};
use crate::support::cloud::{TIMEOUT, fresh_database};
use crate::support::ledger::LedgerDatabase;
use crate::support::waiting::eventually;

/// Readers through the gateway: deliberately more than the function's reserved concurrency.
const CALLS: usize = 1_000;

/// Readers in this process, over as many connections. More would occupy its two threads until the store seems to be
/// down.
const READERS: usize = 200;
const INSTANCES: usize = 8;

/// Returns an instance whose readers wait long enough for a thousand of them on a busy machine.
fn patient(fixture: &Fixture) -> Caches {
    fixture.caches().waiting(Waits {
        lease: 4 * TIMEOUT,
        timeout: 5 * TIMEOUT,
    })
}

/// Delays the database's result for a table, so that all readers arrive while the first one waits.
async fn hold(fixture: &Fixture, table: &str) {
    let lock = format!("begin; lock table public.{table} in access exclusive mode");
    fixture.database.execute(&lock).await;
}

async fn let_go(fixture: &Fixture) {
    fixture.database.execute("commit").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousand_concurrent_calls_for_a_cold_entry_are_one_query() {
    let made = fresh_database().await;
    let (proxy, queries) = counting(&made).await;
    let led = proxy.lead(&made.functions_url);
    let database = LedgerDatabase::at(made.clone());
    let cloud = cloud_with(|settings| {
        settings.database = Database::Made(made);
        let unreserved = ("ReserveConcurrency".to_owned(), "false".to_owned());
        settings.parameters.extend([unreserved]);
        settings.overrides.insert("DATABASE_URL".to_owned(), led);
    })
    .await;
    let lock = "begin; lock table public.signing_requests in access exclusive mode";
    database.execute(lock).await;
    let path = path("documents", REQUEST);
    let (calls, ()) = tokio::join!(join_all((0..CALLS).map(|_| cloud.get(&path))), async {
        eventually("the first has asked", async || {
            queries.load(Ordering::SeqCst) > 0
        })
        .await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        database.execute("commit").await;
    });
    let mut sources = BTreeMap::new();
    for call in &calls {
        assert_eq!(call.status, 200, "{call:?}");
        assert_eq!(call.body, calls[0].body);
        *sources.entry(came_from(call)).or_insert(0) += 1;
    }
    assert_eq!(queries.load(Ordering::SeqCst), 1, "{sources:?}");
    assert_eq!(sources, BTreeMap::from([("HIT", CALLS - 1), ("MISS", 1)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_of_a_cold_entry_on_many_instances_are_one_query() {
    let fixture = Fixture::start().await;
    let instances: Vec<_> = (0..INSTANCES).map(|_| patient(&fixture)).collect();
    hold(&fixture, "user_profiles").await;
    let readers = (0..READERS).map(|n| {
        let caches = instances[n % INSTANCES].clone();
        tokio::spawn(async move { read(&caches, &kind::USER_PROFILES, OWNER).await.unwrap() })
    });
    let readers: Vec<_> = readers.collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let_go(&fixture).await;
    let mut sources = BTreeMap::new();
    for reader in join_all(readers).await {
        let (value, source) = reader.unwrap();
        assert_eq!(value["id"], OWNER);
        *sources.entry(format!("{source:?}")).or_insert(0) += 1;
    }
    assert_eq!(fixture.queries(), 1, "{sources:?}");
    assert_eq!(sources["Miss"], 1, "{sources:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_of_a_missing_id_are_one_query() {
    let fixture = Fixture::start().await;
    let caches = patient(&fixture);
    for round in 0..2 {
        let readers = (0..READERS).map(|_| {
            let caches = caches.clone();
            tokio::spawn(async move { read(&caches, &kind::TOTP_CONFIGS, STRANGER).await })
        });
        let readers: Vec<_> = readers.collect();
        for reader in join_all(readers).await {
            assert_eq!(reader.unwrap(), None);
        }
        assert_eq!(fixture.queries(), 1 - round, "round {round}");
    }
}

#[tokio::test]
async fn negative_entry_is_invalidated_when_its_row_appears() {
    let fixture = Fixture::start().await;
    let caches = fixture.caches();
    assert_eq!(
        read(&caches, &kind::DOMAIN_SETTINGS, "new.example").await,
        None
    );
    fixture
        .database
        .execute("insert into public.domain_settings (domain) values ('New.example')")
        .await;
    assert_eq!(
        read(&caches, &kind::DOMAIN_SETTINGS, "new.example").await,
        None,
        "remembered"
    );
    fixture.relay().await;
    let found = read(&caches, &kind::DOMAIN_SETTINGS, "NEW.example").await;
    assert_eq!(found.unwrap().0["domain"], "new.example");
}

#[tokio::test]
async fn killed_reader_delays_the_others_for_its_lease_only() {
    let fixture = Fixture::start().await;
    // An elected reader that never finishes.
    hold(&fixture, "signing_requests").await;
    let killed = tokio::spawn({
        let caches = fixture.caches();
        async move { read(&caches, &kind::SIGNING_REQUESTS, REQUEST).await }
    });
    eventually("the statement is on its way", async || {
        fixture.queries() > 0
    })
    .await;
    killed.abort();
    let_go(&fixture).await;
    let (value, source) = read(&fixture.caches(), &kind::SIGNING_REQUESTS, REQUEST)
        .await
        .unwrap();
    assert_eq!(
        (value["id"].as_str(), source),
        (Some(REQUEST), Source::Miss)
    );
    let Waits { lease, timeout } = Waits::default();
    assert!(lease < timeout, "or the others give up first");
}

#[tokio::test]
async fn stale_display_value_is_served_while_one_reader_refreshes() {
    let fixture = Fixture::start().await;
    let caches = fixture.caches();
    let (before, _) = read(&caches, &kind::DOCUMENT_STATUS, REQUEST)
        .await
        .unwrap();
    fixture.age(&kind::DOCUMENT_STATUS, REQUEST).await;
    fixture
        .database
        .execute("update public.signing_request_signers set status = 'signed'")
        .await;
    hold(&fixture, "signing_requests").await;
    fixture.queries();
    let refreshing = tokio::spawn({
        let caches = fixture.caches();
        async move {
            read(&caches, &kind::DOCUMENT_STATUS, REQUEST)
                .await
                .unwrap()
        }
    });
    eventually("the statement is on its way", async || {
        fixture.queries() > 0
    })
    .await;
    for _ in 0..3 {
        let stale = read(&caches, &kind::DOCUMENT_STATUS, REQUEST)
            .await
            .unwrap();
        assert_eq!(stale, (before.clone(), Source::Stale));
    }
    let_go(&fixture).await;
    let (fresh, source) = refreshing.await.unwrap();
    assert_eq!(
        (&fresh["progress"]["signed"], source),
        (&json!(3), Source::Miss)
    );
    let next = read(&caches, &kind::DOCUMENT_STATUS, REQUEST)
        .await
        .unwrap();
    assert_eq!(next, (fresh, Source::Hit));
    let figures = caches.figures(None).await.unwrap();
    let (_, counted) = figures
        .kinds
        .into_iter()
        .find(|(name, _)| *name == "document-status")
        .unwrap();
    assert_eq!([counted.hits, counted.misses, counted.stale], [1, 2, 3]);
}

#[tokio::test]
async fn expired_security_entry_is_a_miss_and_never_stale() {
    let fixture = Fixture::start().await;
    let caches = fixture.caches();
    read(&caches, &kind::DOMAIN_ADMINS, DOMAIN).await.unwrap();
    // With any content of its fields.
    fixture.age(&kind::DOMAIN_ADMINS, DOMAIN).await;
    let (_, source) = read(&caches, &kind::DOMAIN_ADMINS, DOMAIN).await.unwrap();
    assert_eq!(source, Source::Miss);
}

#[tokio::test]
async fn generation_is_stable_across_reads_and_changes_with_each_fill() {
    let fixture = Fixture::start().await;
    let caches = fixture.caches();
    let generation = async || -> Option<Generation> {
        match caches
            .get(&kind::DOCUMENTS, REQUEST, &Viewer::Everything)
            .await
            .unwrap()
        {
            Found::Value { generation, .. } => generation,
            Found::Absent => None,
        }
    };
    let first = generation().await;
    assert!(first.is_some());
    assert_eq!(generation().await, first);
    fixture.forget(&kind::DOCUMENTS, REQUEST).await;
    assert_ne!(generation().await, first);
}
