//! The guard's response headers and cost: on a read its check travels with the read.

use http::{HeaderValue, Method};
use redis::AsyncCommands as _;
use serde_json::json;

use super::{READ, WRITE, cloud_with, number, of, read_as};
use crate::support::cloud::{answer, with_json};

/// An address that no other test uses.
const HOME: &str = "203.0.113.9";

#[tokio::test]
async fn rate_limit_headers_are_on_every_answer_and_the_excess_is_refused() {
    let cloud = cloud_with(&[("RATE_LIMIT_API", "3/1d")]).await;
    for left in [2, 1, 0] {
        let seen = read_as(&cloud, "ann", HOME).await;
        assert_eq!(seen.status, 200, "{seen:?}");
        assert_eq!(number(&seen, "x-ratelimit-limit"), 3);
        assert_eq!(number(&seen, "x-ratelimit-remaining"), left);
        assert!(number(&seen, "x-ratelimit-reset") > 1_700_000_000_000);
    }
    let refused = read_as(&cloud, "ann", HOME).await;
    refused.assert_problem(429, "rate_limited", "the fourth");
    assert_eq!(number(&refused, "x-ratelimit-remaining"), 0);
    assert!((1..=2 * 86_400).contains(&number(&refused, "retry-after")));

    // Another route of the same limiter shares the count; a bad request counts too.
    let written = with_json(
        of(&cloud, Method::PUT, WRITE, "ann", HOME),
        &json!({ "paused": true }),
    );
    answer(written)
        .await
        .assert_problem(429, "rate_limited", "a write");
    let stats = cloud.get(READ).await;
    assert_eq!(stats.body["email"]["paused"], false, "{stats:?}");
    for status in [422, 422, 422, 429] {
        let bad = with_json(of(&cloud, Method::PUT, WRITE, "bob", HOME), &json!({}));
        assert_eq!(answer(bad).await.status, status);
    }
}

#[tokio::test]
async fn read_with_its_guard_is_one_request_and_a_remembered_refusal_none() {
    let cloud = cloud_with(&[("RATE_LIMIT_API", "4/1d")]).await;
    let cost = async || {
        let before = cloud.redis().requests();
        let answer = read_as(&cloud, "ann", HOME).await;
        (answer.status.as_u16(), cloud.redis().requests() - before)
    };
    // The first one loads the scripts.
    cost().await;
    assert_eq!(cost().await, (200, 1));
    assert_eq!(cost().await, (200, 1));
    // A malformed query never reaches the store; the guard's check does.
    let before = cloud.redis().requests();
    let path = "/api/queue/jobs?limit=none";
    let malformed = answer(of(&cloud, Method::GET, path, "ann", HOME)).await;
    assert_eq!(
        (
            malformed.status.as_u16(),
            number(&malformed, "x-ratelimit-remaining")
        ),
        (400, 0)
    );
    assert_eq!(cloud.redis().requests() - before, 1);

    assert_eq!(cost().await.0, 429);
    assert_eq!(cost().await, (429, 0));
}

#[tokio::test]
async fn remembered_refusals_are_counted_with_the_next_request() {
    let cloud = cloud_with(&[("RATE_LIMIT_API", "1/3s")]).await;
    let mut refused = 0;
    for _ in 0..100_000 {
        let status = read_as(&cloud, "ann", HOME).await.status;
        if status == 429 {
            refused += 1;
        } else if refused > 3 {
            break;
        }
    }
    assert!(refused > 3, "{refused}");
    let mut redis = cloud.redis_connection().await;
    let day: String = redis
        .keys::<_, Vec<String>>("rate_limit_counts:*")
        .await
        .unwrap()[0]
        .clone();
    let counts: std::collections::BTreeMap<String, u64> = redis.hgetall(&day).await.unwrap();
    let counted: u64 = counts
        .iter()
        .filter(|(field, _)| field.ends_with(":api:refused"))
        .map(|(_, count)| count)
        .sum();
    assert_eq!(counted, refused, "{counts:?}");
}

#[tokio::test]
async fn head_request_is_a_read_and_an_unreadable_user_id_is_not_the_service() {
    let cloud = cloud_with(&[("RATE_LIMIT_API", "1/1d")]).await;
    let head = |user: &str| answer(of(&cloud, Method::HEAD, READ, user, HOME));
    assert_eq!(head("ann").await.status, 200);
    assert_eq!(head("ann").await.status, 429);
    let unreadable = cloud
        .request(Method::GET, "/api/queue/jobs")
        .header("x-user-id", HeaderValue::from_bytes(b"\xff").unwrap());
    answer(unreadable)
        .await
        .assert_problem(400, "caller_invalid", "a user id that got lost");
}

#[tokio::test]
async fn call_without_a_user_counts_only_against_the_token_ceiling() {
    let cloud = cloud_with(&[("RATE_LIMIT_API", "1/1d"), ("RATE_LIMIT_SERVICE", "5/1d")]).await;
    for left in (0..5).rev() {
        let seen = cloud.get(READ).await;
        assert_eq!(
            (seen.status.as_u16(), number(&seen, "x-ratelimit-remaining")),
            (200, left)
        );
    }
    assert_eq!(cloud.get(READ).await.status, 429);
    assert_eq!(read_as(&cloud, "ann", HOME).await.status, 200);
    let reading = cloud
        .bare(Method::GET, READ)
        .bearer_auth(cloud.variable("API_TOKEN_READONLY"));
    assert_eq!(answer(reading).await.status, 200, "another token");
}
