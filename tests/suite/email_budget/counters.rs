//! The script's counts, compared with a model and under concurrency, on a redis-server for this test.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use local_redis_rest::Fault;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;
use shared::base::clock::Clock;
use shared::service::mail::budget::{EmailBudget, Verdict};
use shared::service::mail::payload::EmailAddress;
use shared::service::rate_limit::Rate;

use super::{DAY, NO_TENANT, address, budget, granted, now};
use crate::support::seeds;
use crate::support::store::Store;

/// The number of possible recipients.
const PEOPLE: usize = 4;

/// The settings of a deployment, the state of its counters, and a job.
#[derive(Clone, Debug)]
struct Case {
    limit: u64,
    window: Duration,
    /// The mails of each person in this window and in the previous one.
    counts: Vec<(u64, u64)>,
    /// The tenant's limit and its used part, if it has a budget.
    tenant: Option<(u64, u64)>,
    /// The recipients of the job's mails, and whether an earlier delivery reserved each.
    job: Vec<(usize, bool)>,
}

fn cases() -> impl Strategy<Value = Case> {
    let window = prop_oneof![Just(60), Just(3600), 60..100_000_u64].prop_map(Duration::from_secs);
    let count = prop_oneof![4 => 0..25_u64, 1 => Just(20)];
    let tenant = prop::option::weighted(0.5, (1..30_u64, 0..30_u64));
    (
        prop_oneof![2 => 1..25_u64, 1 => Just(20)],
        window,
        prop::collection::vec((count.clone(), count), PEOPLE),
        tenant,
        prop::collection::vec((0..PEOPLE, prop::bool::weighted(0.2)), 1..30),
    )
        .prop_map(|(limit, window, counts, tenant, job)| Case {
            limit,
            window,
            counts,
            tenant,
            job,
        })
}

fn case(seed: u64) -> Case {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    cases().new_tree(&mut runner).unwrap().current()
}

/// Returns whether the sliding window of @upstash/ratelimit 2.2 allows one more at a millisecond, by the counts of its
/// window and the previous one.
fn passes(limit: u64, window: u64, at: u64, current: u64, previous: u64) -> bool {
    // The library counts in doubles, and so does this; the numbers are far below the first integers that doubles skip.
    let double = |number: u64| f64::from(u32::try_from(number).unwrap());
    let left = 1.0 - double(at % window) / double(window);
    (left * double(previous)).floor() + double(current) < double(limit)
}

/// Returns the mails that a job may send at a millisecond, and the counters after it: the people's and the tenant's.
fn model(case: &Case, window: u64, at: u64) -> (Vec<bool>, Vec<u64>, u64) {
    let mut counts = case.counts.clone();
    let (tenant_limit, mut used) = case.tenant.unwrap_or((u64::MAX, 0));
    let granted = case.job.iter().map(|&(who, earlier)| {
        let (current, previous) = &mut counts[who];
        let fresh =
            !earlier && passes(case.limit, window, at, *current, *previous) && used < tenant_limit;
        *current += u64::from(fresh);
        used += u64::from(fresh);
        earlier || fresh
    });
    let granted = granted.collect();
    let counts = counts.into_iter().map(|(current, _)| current).collect();
    (granted, counts, used)
}

#[tokio::test]
async fn instance_with_a_skewed_clock_counts_in_the_stores_window_with_one_more_request() {
    let store = Store::start().await;
    let mut redis = store.direct().await;
    let recipient = address("ann@example.com");
    let at = i64::try_from(now(&mut redis).await).unwrap();
    let day = i64::try_from(DAY.as_millis()).unwrap();
    for (round, (off, requests)) in [(0, 1), (-day, 2), (3 * day, 2)].into_iter().enumerate() {
        let clock = Clock::fixed(Timestamp::from_millisecond(at + off).unwrap());
        let budget = budget(&store, 20, 20).with_clock(clock);
        // The store loads the script first.
        let job = format!("warm-{round}");
        budget.take(&job, "tenant", &[&recipient]).await.unwrap();
        let before = store.front.requests();
        let job = format!("job-{round}");
        let verdicts = budget.take(&job, "tenant", &[&recipient]).await.unwrap();
        assert_eq!(granted(&verdicts), 1, "{off}");
        assert_eq!(store.front.requests() - before, requests, "{off}");
    }
    let index = now(&mut redis).await / u64::try_from(day).unwrap();
    for key in [
        format!("rl:email:ann@example.com:{index}"),
        format!("rl:email:tenant:tenant:{index}"),
    ] {
        assert_eq!(store.count(&key).await, 6, "{key}");
    }
}

#[tokio::test]
async fn script_grants_like_the_rate_limiter_model_and_counts_nothing_else() {
    let store = Store::start().await;
    let mut redis = store.direct().await;
    let mut compared = 0;
    let all = seeds(200);
    for seed in 0..all {
        compared += u64::from(check(&store, &mut redis, seed).await);
    }
    assert!(compared * 10 > all * 9, "{compared} of {all} compared");
}

/// Compares one case; returns false if a window ended meanwhile, so that two results are right.
async fn check(store: &Store, redis: &mut MultiplexedConnection, seed: u64) -> bool {
    let case = case(seed);
    let why = format!("seed {seed}: {case:?}");
    let window = u64::try_from(case.window.as_millis()).unwrap();
    let rate = |count, window| Rate { count, window };
    let tenant_rate = rate(case.tenant.map_or(1, |(limit, _)| limit), case.window);
    let budget = EmailBudget::new(store.client(), rate(case.limit, case.window), tenant_rate);
    let people: Vec<EmailAddress> = (0..PEOPLE)
        .map(|who| address(&format!("s{seed}-p{who}@example.com")))
        .collect();
    let (job_id, tenant) = (format!("job-{seed}"), format!("tenant-{seed}.example"));

    let before = now(redis).await;
    let index = before / window;
    prepare(redis, seed, &case, index).await;
    let recipients: Vec<&EmailAddress> = case.job.iter().map(|(who, _)| &people[*who]).collect();
    let payer = case.tenant.map_or(NO_TENANT, |_| tenant.as_str());
    let verdicts = budget.take(&job_id, payer, &recipients).await.unwrap();
    let after = now(redis).await;

    let (expected, counts, used) = model(&case, window, before);
    if after / window != index || model(&case, window, after).0 != expected {
        return false;
    }
    let got: Vec<bool> = verdicts.iter().map(|it| *it == Verdict::Granted).collect();
    assert_eq!(got, expected, "{why}");
    for (who, count) in counts.iter().enumerate() {
        let key = format!("rl:email:s{seed}-p{who}@example.com:{index}");
        assert_eq!(store.count(&key).await, count.cast_signed(), "{why}: {key}");
        if *count > case.counts[who].0 && case.counts[who].0 == 0 {
            let life: u64 = redis.pttl(&key).await.unwrap();
            assert!(life > window && life <= 2 * window + 1000, "{why}: {life}");
        }
    }
    if let Some((_, used_before)) = case.tenant {
        let key = format!("rl:email:tenant:{tenant}:{index}");
        assert_eq!(store.count(&key).await, used.cast_signed(), "{why}: {key}");
        if used > 0 && used_before == 0 {
            let life: u64 = redis.pttl(&key).await.unwrap();
            assert!(life > 0 && life <= window, "{why}: {life}");
        }
    }
    for (&(who, _), verdict) in case.job.iter().zip(&verdicts) {
        if let Verdict::Wait(wait) = verdict {
            let wait = u64::try_from(wait.as_millis()).unwrap();
            let counts = (counts[who], case.counts[who].1);
            check_wait(&case, counts, (before, after), wait, &why);
        }
    }
    let again = budget.take(&job_id, payer, &recipients).await.unwrap();
    for (first, second) in verdicts.iter().zip(&again) {
        let kept = *first != Verdict::Granted || *second == Verdict::Granted;
        assert!(kept, "{why}: a grant was revoked");
    }
    true
}

/// Sets the counters to the state of the case.
async fn prepare(redis: &mut MultiplexedConnection, seed: u64, case: &Case, index: u64) {
    for (who, (current, previous)) in case.counts.iter().enumerate() {
        for (index, count) in [(index, current), (index - 1, previous)] {
            let key = format!("rl:email:s{seed}-p{who}@example.com:{index}");
            if *count > 0 {
                let _: () = redis.set(key, count).await.unwrap();
            }
        }
    }
    if let Some((_, used)) = case.tenant.filter(|(_, used)| *used > 0) {
        let key = format!("rl:email:tenant:tenant-{seed}.example:{index}");
        let _: () = redis.set(key, used).await.unwrap();
    }
    for (place, (_, earlier)) in case.job.iter().enumerate() {
        if *earlier {
            let key = format!("email_budget:job-{seed}");
            let _: () = redis.sadd(key, place).await.unwrap();
        }
    }
}

/// Checks that a wait ends when the window allows one more: neither before nor noticeably after.
fn check_wait(
    case: &Case,
    (current, previous): (u64, u64),
    (before, after): (u64, u64),
    wait: u64,
    why: &str,
) {
    let window = u64::try_from(case.window.as_millis()).unwrap();
    assert!((1000..=window).contains(&wait), "{why}: waits {wait} ms");
    let index = before / window;
    let passes_at = |at: u64| match at / window - index {
        0 => passes(case.limit, window, at, current, previous),
        1 => passes(case.limit, window, at, 0, current),
        _ => true,
    };
    let ends = (index + 1) * window;
    if passes_at(after) {
        // The tenant's budget held the mail, not the recipient's; it ends with the window.
        let exact = ends.saturating_sub(after)..=ends - before;
        assert!(exact.contains(&wait) || wait == 1000, "{why}: {wait}");
        return;
    }
    assert!(
        passes_at(after + wait) || wait == window,
        "{why}: too early"
    );
    assert!(
        wait == 1000 || !passes_at(before + wait - 4),
        "{why}: too late"
    );
}

#[tokio::test]
async fn recipient_budget_grants_exactly_twenty_of_fifty_concurrent_jobs() {
    let store = Store::start().await;
    let budget = &budget(&store, 20, 1000);
    let [ann, capital] = ["ann@example.com", "Ann@Example.COM"].map(address);
    let takes = (0..50).map(|number| {
        let recipient = if number % 2 == 0 { &ann } else { &capital };
        async move {
            let job_id = format!("job-{number}");
            let tenant = format!("tenant-{number}");
            budget.take(&job_id, &tenant, &[recipient]).await.unwrap()
        }
    });
    let verdicts: Vec<Verdict> = join_all(takes).await.concat();
    assert_eq!(granted(&verdicts), 20, "{verdicts:?}");
}

#[tokio::test]
async fn tenant_budget_grants_twenty_of_fifty_jobs_and_all_jobs_without_a_tenant() {
    let store = Store::start().await;
    let budget = &budget(&store, 1000, 20);
    for (tenant, expected) in [("example.com", 20), (NO_TENANT, 50)] {
        let takes = (0..50).map(|number| async move {
            let job_id = format!("{tenant}-{number}");
            let recipient = address(&format!("r{number}@example.com"));
            budget.take(&job_id, tenant, &[&recipient]).await.unwrap()
        });
        let verdicts: Vec<Verdict> = join_all(takes).await.concat();
        assert_eq!(granted(&verdicts), expected, "{tenant}: {verdicts:?}");
    }
}

#[tokio::test]
async fn redelivered_job_is_not_charged_again_and_keeps_its_grants() {
    let store = Store::start().await;
    let budget = budget(&store, 3, 1000);
    let [ann, bob] = ["ann@example.com", "bob@example.com"].map(address);
    let first = ["job-1", "job-1", "job-1"];
    for job_id in first {
        let verdicts = budget.take(job_id, "t", &[&ann, &bob]).await.unwrap();
        assert_eq!(granted(&verdicts), 2);
    }
    for job_id in ["job-2", "job-3"] {
        assert_eq!(
            granted(&budget.take(job_id, "t", &[&ann]).await.unwrap()),
            1
        );
    }
    let late = budget.take("job-4", "t", &[&ann, &bob]).await.unwrap();
    assert!(
        matches!(late[..], [Verdict::Wait(_), Verdict::Granted]),
        "{late:?}"
    );
    let again = budget.take("job-1", "t", &[&ann, &bob]).await.unwrap();
    assert_eq!(granted(&again), 2, "used up since, but granted before");
    let mut redis = store.direct().await;
    let life: i64 = redis.ttl("email_budget:job-1").await.unwrap();
    assert!((7 * 86_400..=8 * 86_400).contains(&life), "{life}");
}

#[tokio::test]
async fn recipient_listed_twice_in_a_job_counts_twice() {
    let store = Store::start().await;
    let budget = budget(&store, 2, 1000);
    let ann = address("ann@example.com");
    let verdicts = budget.take("job", NO_TENANT, &[&ann, &ann, &ann]).await;
    assert_eq!(granted(&verdicts.unwrap()), 2);
}

#[tokio::test]
async fn lost_answer_charges_once() {
    let store = Store::start().await;
    let budget = budget(&store, 2, 1000);
    let ann = address("ann@example.com");
    // From here on Redis has the script, so that the call is one request.
    let warm = budget
        .take("warm", NO_TENANT, &[&address("w@example.com")])
        .await;
    assert_eq!(granted(&warm.unwrap()), 1);
    store.front.faults().set_for_next(1, Fault::CutAnswer);
    let verdicts = budget.take("job-1", NO_TENANT, &[&ann]).await.unwrap();
    assert_eq!(granted(&verdicts), 1);
    let mut redis = store.direct().await;
    let keys: Vec<String> = redis.keys("rl:email:ann@example.com:*").await.unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(store.count(&keys[0]).await, 1);
}

#[tokio::test]
async fn hundred_recipients_are_charged_in_one_request() {
    let store = Store::start().await;
    let redis = store.client();
    let rate = |count| Rate {
        count,
        window: super::DAY,
    };
    let budget = EmailBudget::new(redis.clone(), rate(20), rate(1000));
    let people: Vec<EmailAddress> = (0..100)
        .map(|number| address(&format!("r{number}@example.com")))
        .collect();
    let recipients: Vec<&EmailAddress> = people.iter().collect();
    budget.take("warm", "t", &recipients[..1]).await.unwrap();
    let _ = redis.usage().take();
    let verdicts = budget.take("job", "t", &recipients).await.unwrap();
    assert_eq!(granted(&verdicts), 100);
    assert_eq!(redis.usage().take().requests, 1);
}
