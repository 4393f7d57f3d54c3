//! Many concurrent requests: exactly the limit passes. And the cost of a decision.

use std::time::Duration;

use futures_util::future::join_all;
use shared::base::clock::Clock;
use shared::service::key::Family;
use shared::service::rate_limit::{Algorithm, Claim, Limit, Limiter, OnOutage, Rate, RateLimits};

use crate::support::store::Store;

static KEYS: Family = Family {
    pattern: "rl:rush:{identifier}",
    kind: "string",
    life: "the test",
};

const RATE: Rate = Rate {
    count: 100,
    window: Duration::from_hours(24),
};

const fn limiter(name: &'static str, algorithm: Algorithm) -> Limiter {
    Limiter {
        name,
        keys: &KEYS,
        variable: "",
        algorithm,
        rate: RATE,
        on_outage: OnOutage::Closed,
    }
}

static FIXED: Limiter = limiter("fixed", Algorithm::FixedWindow);
static SLIDING: Limiter = limiter("sliding", Algorithm::SlidingWindow);
static BUCKET: Limiter = limiter("bucket", Algorithm::TokenBucket { refill: 100 });

#[tokio::test]
async fn exactly_the_limit_passes_of_500_concurrent_calls() {
    let store = Store::start().await;
    for limiter in [&FIXED, &SLIDING, &BUCKET] {
        // Each has its own instance, so that no cached rejection helps. They are created before, because that takes a
        // while and must not delay a call.
        let instances = (0..500).map(|_| RateLimits::new(store.client(), Clock::system()));
        let instances: Vec<RateLimits> = instances.collect();
        let calls = instances.iter().map(|limits| async move {
            let claim = Claim::one(Limit::new(limiter, RATE), limiter.name.to_owned());
            limits.limit(claim).await.unwrap().refusal.is_none()
        });
        let passed = join_all(calls).await.into_iter().filter(|passed| *passed);
        assert_eq!(passed.count(), 100, "{}", limiter.name);
    }
}

#[tokio::test]
async fn refused_caller_costs_no_request_until_its_wait_ends_and_refunds_count() {
    let store = Store::start().await;
    let redis = store.client();
    let limits = RateLimits::new(redis.clone(), Clock::system());
    let rate = Rate { count: 2, ..RATE };
    let take = |cost: i64| {
        let mut claim = Claim::one(Limit::new(&FIXED, rate), "ann".to_owned());
        claim.cost = cost;
        limits.limit(claim)
    };
    assert_eq!(take(2).await.unwrap().remaining, 0);
    assert!(take(1).await.unwrap().refusal.is_some());
    let _ = redis.usage().take();
    for _ in 0..50 {
        assert!(take(1).await.unwrap().refusal.is_some());
    }
    assert_eq!(redis.usage().take().requests, 0);
    assert!(take(-3).await.unwrap().refusal.is_none());
    assert!(take(1).await.unwrap().refusal.is_none());
    let left = limits
        .remaining(&Limit::new(&FIXED, rate), "ann")
        .await
        .unwrap();
    assert_eq!(left.remaining, 1);
    assert!(take(1).await.unwrap().refusal.is_none());
}
