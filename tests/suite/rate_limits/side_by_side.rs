//! A comparison with @upstash/ratelimit 2.2 from npm. Both make the same steps on separate stores and in turn on a
//! shared one, and must decide the same.
//!
//! The official client runs in node with its clock set by the test (tests/sdk/redis/player.mjs). It prints one line for
//! each step.

use std::process::Stdio;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};
use shared::base::clock::Clock;
use shared::protocol::upstash::Redis;
use shared::service::key::Family;
use shared::service::rate_limit::{Algorithm, Claim, Limit, Limiter, OnOutage, Rate, RateLimits};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::support::seeds;
use crate::support::store::Store;

static KEYS: Family = Family {
    pattern: "side:{identifier}",
    kind: "string",
    life: "the test",
};

/// Steps of one seed.
const STEPS: usize = 50;

/// The start of every history.
const START: i64 = 1_795_512_928_123;

#[derive(Clone, Debug)]
struct Step {
    after: i64,
    who: u8,
    cost: i64,
    limit: u64,
    /// Whether the official client makes the step on the shared store.
    is_theirs: bool,
    only_asks: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let after = prop_oneof![
        4 => 0..300_i64,
        3 => 0..30_000_i64,
        1 => 0..420_000_i64,
        1 => Just(0),
        1 => Just(60_000),
    ];
    let cost = prop_oneof![6 => Just(1_i64), 2 => 2..6_i64, 1 => -3..0_i64];
    let step = (
        after,
        0..3_u8,
        cost,
        prop_oneof![3 => Just(5_u64), 1 => 1..9_u64],
        any::<bool>(),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(after, who, cost, limit, is_theirs, only_asks)| Step {
            after,
            who,
            cost,
            limit,
            is_theirs,
            only_asks,
        });
    prop::collection::vec(step, STEPS)
}

fn history(seed: u64) -> Vec<Step> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    steps().new_tree(&mut runner).unwrap().current()
}

/// The official client in its process.
struct Official {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Official {
    fn start(url: &str) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/redis");
        let mut process = Command::new("node")
            .arg("player.mjs")
            .current_dir(folder)
            .env("UPSTASH_REDIS_REST_URL", url)
            .env("UPSTASH_REDIS_REST_TOKEN", "standard-token")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            input: process.stdin.take().unwrap(),
            output: BufReader::new(process.stdout.take().unwrap()).lines(),
            _process: process,
        }
    }

    async fn step(&mut self, step: &Value) -> Value {
        let line = format!("{step}\n");
        self.input.write_all(line.as_bytes()).await.unwrap();
        let answer = self.output.next_line().await.unwrap();
        serde_json::from_str(&answer.expect("node keeps running")).unwrap()
    }
}

fn named(algorithm: &str) -> (&'static Limiter, Duration) {
    let (algorithm, window) = match algorithm {
        "fixed" => (Algorithm::FixedWindow, 60_000),
        "sliding" => (Algorithm::SlidingWindow, 60_000),
        _ => (Algorithm::TokenBucket { refill: 2 }, 20_000),
    };
    let limiter = Limiter {
        name: "side",
        keys: &KEYS,
        variable: "",
        algorithm,
        rate: Rate {
            count: 1,
            window: Duration::from_millis(window),
        },
        on_outage: OnOutage::Closed,
    };
    (Box::leak(Box::new(limiter)), Duration::from_millis(window))
}

/// Returns every member that both report, in the official client's form.
async fn ours(redis: &Redis, algorithm: &str, step: &Value) -> Value {
    let (limiter, window) = named(algorithm);
    let number = |name: &str| step[name].as_i64().unwrap();
    let rate = Rate {
        count: step["limit"].as_u64().unwrap(),
        window,
    };
    let limit = Limit::new(limiter, rate);
    let identifier = step["identifier"].as_str().unwrap();
    // A new instance for each step: cached rejections are not compared.
    let at = Timestamp::from_millisecond(number("at")).unwrap();
    let limits = RateLimits::new(redis.clone(), Clock::fixed(at));
    if step["onlyAsks"].as_bool().unwrap() {
        let left = limits.remaining(&limit, identifier).await.unwrap();
        return json!({ "remaining": left.remaining, "reset": left.reset.as_millisecond() });
    }
    let claim = Claim {
        limit,
        identifier: identifier.to_owned(),
        cost: number("cost"),
    };
    let verdict = limits.limit(claim).await.unwrap();
    json!({
        "success": verdict.refusal.is_none(),
        "limit": verdict.limit,
        "remaining": verdict.remaining,
        "reset": verdict.reset.as_millisecond(),
    })
}

/// Returns everything under the limiter's keys, with its TTL.
async fn state(redis: &mut MultiplexedConnection, seed: u64) -> Vec<(String, String, i64)> {
    let script = "local found = {} \
        for _, key in ipairs(redis.call('KEYS', ARGV[1])) do \
          local value = redis.call('TYPE', key).ok == 'hash' \
            and table.concat(redis.call('HMGET', key, 'refilledAt', 'tokens'), '/') or redis.call('GET', key) \
          found[#found + 1] = {key, value, redis.call('PTTL', key)} \
        end return found";
    let mut found: Vec<(String, String, i64)> = redis::cmd("EVAL")
        .arg(script)
        .arg(0)
        .arg(format!("side:s{seed}-*"))
        .query_async(redis)
        .await
        .unwrap();
    found.sort();
    found
}

/// Compares three stores: one for the official client, one for ours, and one shared in turn. After every step the three
/// must have decided the same, and after every history they must hold the same.
async fn compare(algorithm: &str) {
    let (theirs, alone, shared) = (
        Store::start().await,
        Store::start().await,
        Store::start().await,
    );
    let mut official = Official::start(&theirs.front.url());
    let mut turns = Official::start(&shared.front.url());
    let (own, taking_turns) = (alone.client(), shared.client());
    let (mut at_theirs, mut at_ours, mut at_shared) = (
        theirs.direct().await,
        alone.direct().await,
        shared.direct().await,
    );
    for seed in 0..seeds(20) {
        let mut at = START + i64::try_from(seed).unwrap() * 1_000_000;
        for (number, step) in history(seed).into_iter().enumerate() {
            at += step.after;
            let asked = json!({
                "algorithm": algorithm,
                "at": at,
                "identifier": format!("s{seed}-{}", step.who),
                "cost": step.cost,
                "limit": step.limit,
                "onlyAsks": step.only_asks,
            });
            let why = format!("{algorithm}, seed {seed}, step {number}: {asked}");
            let theirs = official.step(&asked).await;
            assert_eq!(ours(&own, algorithm, &asked).await, theirs, "{why}");
            let turn = if step.is_theirs {
                turns.step(&asked).await
            } else {
                ours(&taking_turns, algorithm, &asked).await
            };
            assert_eq!(turn, theirs, "in turns: {why}");
        }
        let held = state(&mut at_theirs, seed).await;
        assert_eq!(
            values(&state(&mut at_ours, seed).await),
            values(&held),
            "{algorithm}, seed {seed}"
        );
        assert_eq!(
            values(&state(&mut at_shared, seed).await),
            values(&held),
            "{algorithm}, seed {seed}"
        );
        assert!(
            state(&mut at_ours, seed)
                .await
                .iter()
                .all(|(_, _, life)| *life >= 0),
            "a key that stays"
        );
    }
}

/// Returns keys and values; a key's TTL depends on the store's clock, which the test cannot set.
fn values(state: &[(String, String, i64)]) -> Vec<(&str, &str)> {
    state
        .iter()
        .map(|(key, value, _)| (key.as_str(), value.as_str()))
        .collect()
}

#[tokio::test]
async fn fixed_window_decides_like_the_official_client() {
    compare("fixed").await;
}

#[tokio::test]
async fn sliding_window_decides_like_the_official_client() {
    compare("sliding").await;
}

#[tokio::test]
async fn token_bucket_decides_like_the_official_client() {
    compare("bucket").await;
}
