//! A property: a bulk of 100 recipients, killed at random points of random recipients, over each provider.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use futures_util::future::join_all;
use local_mail::Provider;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::reaper::{Point, Reaper};
use super::{Stage, put_off, settled};
use crate::support::seeds;
use crate::support::waiting::statuses;

const RECIPIENTS: usize = 100;

/// Clouds that run the seeds concurrently.
const LANES: u64 = 2;

/// The recipients and points of the kills: fewer than a job has deliveries.
type Kills = Vec<(usize, Point)>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_bulk_loses_no_mail_and_marks_at_most_one_duplicate_per_kill() {
    join_all((0..LANES).map(|lane| run(Provider::Ses, lane, seeds(12)))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_bulk_with_idempotency_keys_neither_loses_nor_repeats_a_mail() {
    join_all((0..LANES).map(|lane| run(Provider::Resend, lane, seeds(4)))).await;
}

async fn run(provider: Provider, lane: u64, seeds: u64) {
    let stage = Stage::start(|settings| {
        settings.qstash_speed = 6_000.0;
        settings.email_provider = provider;
        // Attempts are counted exactly: one for each kill, and no artificial duplicate.
        settings.qstash_disorder = None;
    })
    .await;
    let reaper = Reaper::watch(&stage);
    let lanes = usize::try_from(LANES).unwrap();
    for seed in (lane..seeds).step_by(lanes) {
        let kills = reached(kills(seed), provider);
        let why = format!("seed {seed}, {provider:?}, killed at {kills:?}");
        stage.cloud.qstash().hold(true);
        let ids = stage.enqueue_bulk(&bulk(seed)).await;
        reaper.plan(&ids[0], planned(seed, &kills));
        stage.cloud.qstash().hold(false);
        let job = stage.cloud.wait_for(&ids[0], "completed").await;
        assert_eq!(reaper.left(), [], "{why}: points that were not reached");
        assert_eq!(reaper.killed(), kills.len(), "{why}: instances killed");
        let doubtful = doubtful(&stage, &job, &why).await;
        match provider {
            Provider::Ses => check_marked(&stage, seed, &kills, &doubtful, &why),
            Provider::Resend => check_single(&stage, seed, &doubtful, &why),
        }
        check_job(&job, &kills, doubtful.len(), provider, &why);
    }
}

/// Returns the recipients that are in doubt in the ledger. Every recipient has a row, and every row is settled.
async fn doubtful(stage: &Stage, job: &Value, why: &str) -> BTreeSet<String> {
    let rows = stage.ledger(job["jobId"].as_str().unwrap()).await;
    assert_eq!(rows.len(), RECIPIENTS, "{why}");
    assert!(rows.iter().all(|row| row.state == "accepted"), "{why}");
    let doubtful = rows.into_iter().filter(|row| row.in_doubt);
    doubtful.map(|row| row.recipient).collect()
}

/// SES has no idempotency key: a mail with an unknown result was sent once more, and is marked.
fn check_marked(stage: &Stage, seed: u64, kills: &Kills, doubtful: &BTreeSet<String>, why: &str) {
    assert!(doubtful.len() <= kills.len(), "{why}: {doubtful:?}");
    let mails = stage.cloud.mails();
    for number in 0..RECIPIENTS {
        let to = address(seed, number);
        let count = mails.get(&to).copied().unwrap_or(0);
        assert!(count > 0, "{why}: {to} is lost");
        assert!(count == 1 || doubtful.contains(&to), "{why}: {to}: {count}");

        let met = || kills.iter().filter(|(who, _)| *who == number);
        let again = met().filter(|(_, point)| point.doubles()).count();
        assert_eq!(count, 1 + again, "{why}: {to}");
        let doubt = met().any(|(_, point)| point.leaves_doubt());
        assert_eq!(doubtful.contains(&to), doubt, "{why}: {to} in doubt");
    }
}

/// Resend recognises a mail by its key: after any kill, each was sent once, and none is in doubt.
fn check_single(stage: &Stage, seed: u64, doubtful: &BTreeSet<String>, why: &str) {
    let mails = stage.cloud.mails();
    for number in 0..RECIPIENTS {
        let to = address(seed, number);
        let count = mails.get(&to).copied().unwrap_or(0);
        assert_eq!(count, 1, "{why}: {to}");
    }
    assert_eq!(*doubtful, BTreeSet::new(), "{why}");
}

fn check_job(job: &Value, kills: &Kills, doubtful: usize, provider: Provider, why: &str) {
    assert_eq!(settled(job), RECIPIENTS as u64, "{why}: {job:#}");
    assert_eq!(job["result"]["inDoubt"], doubtful, "{why}");
    let put_off = put_off(job);
    // Resend may still process the dead instance's call when the next one uses the same key.
    assert!(
        provider == Provider::Resend || put_off == 0,
        "{why}: {job:#}"
    );
    let deferred = statuses(job)
        .iter()
        .filter(|status| **status == "deferred")
        .count();
    // A deferral does not count as an attempt; a killed claim does.
    let attempts = kills.len() + 1 + put_off - deferred;
    assert_eq!(job["attempts"], attempts, "{why}: {job:#}");
}

/// Returns the kills that occur: a mail that the provider has and recognises by its key does not reach its points
/// again.
fn reached(kills: Kills, provider: Provider) -> Kills {
    let mut has = BTreeSet::new();
    let mut happens = |who: usize, point: Point| {
        let passes = has.contains(&who) && point.is_at_provider();
        if point.doubles() {
            has.insert(who);
        }
        !passes
    };
    let knows = provider == Provider::Resend;
    let happening = kills
        .into_iter()
        .filter(|(who, point)| happens(*who, *point) || !knows);
    happening.collect()
}

/// Returns the kills of a seed. The ends of the list, and one recipient twice, are likelier than by chance.
fn kills(seed: u64) -> Kills {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let who = prop_oneof![4 => 0..RECIPIENTS, 1 => Just(0), 1 => Just(RECIPIENTS - 1)];
    let point = prop::sample::select(Point::ALL.as_slice());
    prop::collection::vec((who, point), 1..=4)
        .new_tree(&mut runner)
        .unwrap()
        .current()
}

fn planned(seed: u64, kills: &Kills) -> BTreeMap<String, VecDeque<Point>> {
    let mut planned = BTreeMap::<String, VecDeque<Point>>::new();
    for (number, point) in kills {
        let points = planned.entry(address(seed, *number)).or_default();
        points.push_back(*point);
    }
    planned
}

fn bulk(seed: u64) -> Value {
    let emails: Vec<Value> = (0..RECIPIENTS)
        .map(|number| json!({ "name": "Ann", "email": address(seed, number) }))
        .collect();
    json!({ "documentTitle": "Lease", "senderName": "Bob", "documentId": "doc-1", "emails": emails })
}

fn address(seed: u64, number: usize) -> String {
    format!("s{seed}-r{number}@example.com")
}
