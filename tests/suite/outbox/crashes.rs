//! The relay is killed at random points, and every job has its effect once.
//!
//! A kill leaves a claim of a minute. The test ends it by hand, as if the time had passed, so that a thousand seeds
//! take minutes. The tests of rows show that claims end by themselves.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use local::cloud::Database;
use local::process::port::{free, loopback};
use local_gateway::KillSwitch;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;

use super::write_mail;
use crate::support::TestCloud;
use crate::support::cloud::fresh_database;
use crate::support::ledger::LedgerDatabase;
use crate::support::proxy::{Proxy, carries};
use crate::support::seeds;
use crate::support::waiting::eventually;

/// A point at which the relay is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    /// The claim is committed, and its response has not arrived: between commit and publish.
    Claimed,
    /// The jobs are recorded, and the batch has not reached the queue: between commit and publish.
    Recorded,
    /// The queue has the batch, and its answer has not come back: between publish and mark.
    Published,
    /// The response has arrived, and the mark has not reached Postgres: between publish and mark.
    Unmarked,
}

const POINTS: [Point; 4] = [
    Point::Claimed,
    Point::Recorded,
    Point::Published,
    Point::Unmarked,
];

/// The remaining and the past points.
#[derive(Default)]
struct Plan {
    points: VecDeque<Point>,
    killed: Vec<Point>,
    /// A batch or a claim has passed, and its response is next.
    asked: bool,
}

/// Kills the relay at the planned points.
#[derive(Clone)]
struct Reaper {
    plan: Arc<Mutex<Plan>>,
    kill_switch: KillSwitch,
}

impl Reaper {
    /// Returns whether bytes may pass: not if this is the next point.
    fn lets_through(&self, point: Point, here: bool) -> bool {
        let mut plan = self.plan.lock().unwrap();
        if !here || plan.points.front() != Some(&point) {
            return true;
        }
        plan.points.pop_front();
        plan.killed.push(point);
        plan.asked = false;
        let _ = self.kill_switch.kill("relay-outbox");
        false
    }

    /// Records that a request passed whose response is a point.
    fn note_request(&self, point: Point, here: bool) {
        let mut plan = self.plan.lock().unwrap();
        if here && plan.points.front() == Some(&point) {
            plan.asked = true;
        }
    }

    fn awaits(&self, point: Point) -> bool {
        let plan = self.plan.lock().unwrap();
        plan.asked && plan.points.front() == Some(&point)
    }

    fn watch(&self, postgres: &Proxy, qstash: &Proxy) {
        let reaper = self.clone();
        postgres.guard(move |bytes| {
            reaper.note_request(Point::Claimed, carries(bytes, "FOR UPDATE SKIP LOCKED"));
            reaper.lets_through(
                Point::Unmarked,
                carries(bytes, "UPDATE signtusk.outbox AS settled"),
            )
        });
        let reaper = self.clone();
        postgres.guard_answers(move |_| {
            let here = reaper.awaits(Point::Claimed);
            reaper.lets_through(Point::Claimed, here)
        });
        let reaper = self.clone();
        qstash.guard(move |bytes| {
            // Several rows are published as a batch, one by itself.
            let batch = carries(bytes, "POST /v2/batch") || carries(bytes, "POST /v2/publish/");
            reaper.note_request(Point::Published, batch);
            reaper.lets_through(Point::Recorded, batch)
        });
        let reaper = self.clone();
        qstash.guard_answers(move |bytes| {
            let here = reaper.awaits(Point::Published) && carries(bytes, "messageId");
            reaper.lets_through(Point::Published, here)
        });
    }
}

/// Returns the story of a seed: the ordering keys of the rows, and the points of the kills.
fn plan_of_seed(seed: u64) -> (Vec<Option<u8>>, Vec<Point>) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let rows = prop::collection::vec(prop::option::of(0..2_u8), 1..6);
    let kills = prop::collection::vec(prop::sample::select(POINTS.as_slice()), 1..4);
    (rows, kills).new_tree(&mut runner).unwrap().current()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_between_commit_and_mark_neither_loses_nor_repeats_a_job() {
    let made = fresh_database().await;
    let database = LedgerDatabase::at(made.clone());
    let postgres = Proxy::start(address(&made.functions_url)).await;
    let port = free().unwrap();
    let qstash = Proxy::start(loopback(port)).await;
    let (led, queue) = (
        postgres.lead(&made.functions_url),
        format!("http://{}", qstash.address),
    );
    let cloud = TestCloud::start_with(|settings| {
        settings.database = Database::Made(made);
        settings.ports.qstash = port;
        settings.qstash_speed = 6_000.0;
        settings.overrides.insert("DATABASE_URL".to_owned(), led);
        settings.overrides.insert("QSTASH_URL".to_owned(), queue);
    })
    .await;
    let reaper = Reaper {
        plan: Arc::default(),
        kill_switch: cloud.gateway().kill_switch(),
    };
    reaper.watch(&postgres, &qstash);

    for seed in 0..seeds(12) {
        let (rows, kills) = plan_of_seed(seed);
        let mut ids = Vec::new();
        for (number, key) in rows.iter().enumerate() {
            let to = format!("s{seed}-r{number}@example.com");
            let key = key.map_or_else(|| "null".to_owned(), |key| format!("'s{seed}-k{key}'"));
            ids.push(write_mail(&database, &to, &format!(", {key}")).await);
        }
        *reaper.plan.lock().unwrap() = Plan {
            points: kills.iter().copied().collect(),
            ..Plan::default()
        };
        let mut runs = 0;
        loop {
            let message = format!("msg_{seed}_{runs}");
            let swept = cloud.deliver_as(&message, "relay-outbox", &json!({})).await;
            runs += 1;
            if swept.status == 200 {
                break;
            }
            assert!(
                runs <= 2 * kills.len() + 2,
                "seed {seed}: {kills:?}: {swept:?}"
            );
            let end = "update signtusk.outbox set held_until = now() where published_at is null";
            database.execute(end).await;
        }
        // If a kill left no row to claim, later points are not reached.
        let killed = reaper.plan.lock().unwrap().killed.clone();
        assert!(!killed.is_empty(), "seed {seed}: {kills:?}");
        let left =
            "select to_jsonb(count(*)) as value from signtusk.outbox where published_at is null";
        assert_eq!(
            database.read(left).await,
            json!(0),
            "seed {seed}: {killed:?}"
        );
        for (number, id) in ids.iter().enumerate() {
            let job = cloud.wait_for(id, "completed").await;
            assert_eq!(job["result"]["sent"], 1, "seed {seed}: {killed:?}: {job:#}");
            let to = format!("s{seed}-r{number}@example.com");
            assert_eq!(cloud.mails()[&to], 1, "seed {seed}: {killed:?}: {to}");
        }
    }
    eventually("no job is open", async || {
        cloud.get("/api/queue/stats").await.body["email"]["pending"] == 0
    })
    .await;
    let mails = cloud.mails();
    assert!(mails.values().all(|count| *count == 1), "{mails:?}");
}

fn address(url: &str) -> std::net::SocketAddr {
    let url = url::Url::parse(url).unwrap();
    url.socket_addrs(|| None).unwrap()[0]
}
