//! Invalidations concurrent with fills: with a delayed database result, and at random.
//!
//! The invariant: a read that starts after an invalidation was acknowledged returns nothing that was written before it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use shared::service::cache::{AnyKind, Caches, Class, Kind, Source, kind};

use super::{DOMAIN, Fixture, OWNER, REQUEST, read};
use crate::support::cloud::TIMEOUT;
use crate::support::proxy::carries;
use crate::support::seeds;
use crate::support::waiting::eventually;

/// The kinds under test, one of each class, with the column that counts up.
const PLACES: [(&str, &str, &str); 2] = [
    ("user-profiles", "user_profiles", "company_name"),
    ("domain-settings", "domain_settings", "email_from_name"),
];

/// Returns the version in an entry.
async fn version(caches: &Caches, kind: &str) -> u64 {
    async fn of<C: Class>(caches: &Caches, kind: &'static Kind<C>, id: &str, member: &str) -> u64 {
        let (value, _) = read(caches, kind, id).await.unwrap();
        value[member].as_str().unwrap().parse().unwrap()
    }
    match AnyKind::named(kind).unwrap() {
        AnyKind::Security(kind) => of(caches, kind, DOMAIN, "emailFromName").await,
        AnyKind::Display(kind) => of(caches, kind, OWNER, "companyName").await,
    }
}

/// A switch that another thread waits for; a failing test releases it.
#[derive(Clone, Default)]
struct Switch(Arc<(Mutex<bool>, Condvar)>);

impl Switch {
    fn turn(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        let guard = self.0.0.lock().unwrap();
        let waited = self
            .0
            .1
            .wait_timeout_while(guard, TIMEOUT, |turned| !*turned);
        drop(waited.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn slow_reader_does_not_restore_a_value_read_before_the_invalidation() {
    for (name, table, column) in PLACES {
        let fixture = Fixture::start().await;
        let write = async |n: u64| {
            fixture
                .database
                .execute(&format!("update public.{table} set {column} = '{n}'"))
                .await;
        };
        write(1).await;
        // The slow reader's result is on its way, and is delayed.
        let (held, let_go) = (Arc::new(AtomicBool::new(false)), Switch::default());
        let slow = fixture.caches();
        read(&slow, &kind::DOCUMENTS, REQUEST).await.unwrap();
        fixture.proxy.guard_answers({
            let (held, let_go) = (Arc::clone(&held), let_go.clone());
            move |bytes| {
                if carries(bytes, "parties") {
                    held.store(true, Ordering::SeqCst);
                    tokio::task::block_in_place(|| let_go.wait());
                }
                true
            }
        });
        let reading = tokio::spawn(async move { version(&slow, name).await });
        eventually("its answer is delayed", async || {
            held.load(Ordering::SeqCst)
        })
        .await;
        write(2).await;
        fixture.relay().await;
        // Another instance reads and fills without the proxy.
        let quick = fixture.caches_past_the_proxy();
        assert_eq!(version(&quick, name).await, 2, "{name}");
        let_go.turn();
        // Its own result is read again, because it was older than the invalidation.
        assert_eq!(reading.await.unwrap(), 2, "{name}");
        assert_eq!(version(&quick, name).await, 2, "{name}: brought back");
    }
}

/// The next step of an actor, and the delay (ms) of its request.
#[derive(Clone, Copy, Debug)]
enum Step {
    Read(u64),
    Change(u64),
    Pause(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..6_u64).prop_map(Step::Read),
        2 => (0..3_u64).prop_map(Step::Change),
        1 => (0..4_u64).prop_map(Step::Pause),
    ]
}

/// Runs a schedule: reads run concurrently, changes in sequence. Returns the wrong versions.
async fn run(fixture: &Fixture, place: (&'static str, &str, &str), steps: &[Step]) -> Vec<String> {
    let (name, table, column) = place;
    let acknowledged = Arc::new(AtomicU64::new(0));
    let mut last = 0;
    let mut readers = Vec::new();
    for step in steps {
        match *step {
            Step::Read(delay) => {
                let (caches, acknowledged) = (fixture.caches(), Arc::clone(&acknowledged));
                readers.push(tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(delay)).await;
                    let known = acknowledged.load(Ordering::SeqCst);
                    let seen = version(&caches, name).await;
                    (seen < known).then(|| format!("{name}: {seen} after {known} was acknowledged"))
                }));
            }
            Step::Change(delay) => {
                last += 1;
                let sql = format!("update public.{table} set {column} = '{last}'");
                fixture.database.execute(&sql).await;
                tokio::time::sleep(Duration::from_millis(delay)).await;
                fixture.relay().await;
                acknowledged.store(last, Ordering::SeqCst);
            }
            Step::Pause(delay) => tokio::time::sleep(Duration::from_millis(delay)).await,
        }
    }
    let mut wrong = Vec::new();
    for reader in readers {
        wrong.extend(reader.await.unwrap());
    }
    if version(&fixture.caches(), name).await < last {
        wrong.push(format!("{name}: the last version was lost"));
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn read_after_an_acknowledged_invalidation_shows_no_older_value() {
    let fixture = Fixture::start().await;
    // The database's results have different delays, so that fills cross invalidations.
    let turn = AtomicU64::new(0);
    fixture.proxy.guard_answers(move |_| {
        let turn = turn.fetch_add(1, Ordering::SeqCst);
        let wait = Duration::from_micros(turn * 2_654_435_761 % 3_000);
        tokio::task::block_in_place(|| std::thread::sleep(wait));
        true
    });
    for seed in 0..seeds(6) {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(Config::default(), random);
        let steps = proptest::collection::vec(step(), 40..60)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        for place in PLACES {
            let (_, table, column) = place;
            fixture
                .database
                .execute(&format!("update public.{table} set {column} = '0'"))
                .await;
            fixture.relay().await;
            let wrong = run(&fixture, place, &steps).await;
            assert!(wrong.is_empty(), "seed {seed}: {wrong:?}\n{steps:?}");
        }
    }
}

#[tokio::test]
async fn fill_repeated_after_a_lost_answer_is_one_fill() {
    let fixture = Fixture::start().await;
    let caches = fixture.caches();
    // The front runs the script and loses the reply; the client repeats the request.
    let (value, source) = read(&caches, &kind::USER_PROFILES, OWNER).await.unwrap();
    assert_eq!(source, Source::Miss);
    fixture.forget(&kind::USER_PROFILES, OWNER).await;
    fixture.queries();
    fixture
        .store
        .front
        .faults()
        .set_for_next(1, local_redis_rest::Fault::CutAnswer);
    let again = read(&caches, &kind::USER_PROFILES, OWNER).await.unwrap();
    assert_eq!(
        (again, fixture.queries()),
        ((value.clone(), Source::Miss), 1),
        "elected, and not delayed by itself"
    );
    let next = read(&caches, &kind::USER_PROFILES, OWNER).await.unwrap();
    assert_eq!(next, (value, Source::Hit));
}
