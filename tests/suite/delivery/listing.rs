//! Lists of jobs, and statistics.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};
use shared::service::job::{JobOptions, Jobs, NewJob};

use super::lease::options;
use super::{cancel, figures};
use crate::support::TestCloud;
use crate::support::cloud::answer;
use crate::support::payloads::signature_request;

/// Records `count` jobs as the API would, and returns their ids, oldest first.
async fn recorded(cloud: &TestCloud, count: usize, options: &JobOptions) -> Vec<String> {
    let jobs = Jobs::new(cloud.redis_client());
    let new: Vec<NewJob> = (0..count)
        .map(|_| NewJob::new(&signature_request("ann@example.com")).unwrap())
        .collect();
    jobs.create(options, &new, None).await.unwrap();
    new.into_iter().map(|job| job.id).collect()
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|job| job["jobId"].as_str().unwrap().to_owned())
        .collect()
}

/// Returns every page of a list; `between` runs after each.
async fn walk(cloud: &TestCloud, query: &str, mut between: impl AsyncFnMut()) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..100 {
        let page = cloud.get(&format!("/api/queue/jobs?{query}{cursor}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        seen.extend(ids(&page.body));
        match page.body["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return seen,
        }
        between().await;
    }
    panic!("the pages of {query} have no end");
}

#[tokio::test]
async fn pages_of_250_jobs_show_each_once_newest_first_during_inserts() {
    let cloud = TestCloud::start().await;
    let mut expected = recorded(&cloud, 250, &options()).await;
    expected.reverse();
    for limit in [100, 7] {
        let query = format!("limit={limit}");
        let seen = walk(&cloud, &query, async || {}).await;
        assert_eq!(seen, expected, "pages of {limit}");
    }
    let seen = walk(&cloud, "limit=60", async || {
        recorded(&cloud, 1, &options()).await;
    })
    .await;
    assert_eq!(
        seen, expected,
        "later jobs are on none of the following pages"
    );
}

#[tokio::test]
async fn filters_show_matching_jobs_only() {
    let cloud = TestCloud::start().await;
    let labelled = JobOptions {
        label: "batch-1".into(),
        ..options()
    };
    // Rare jobs, with more than one page of others between them.
    let old = recorded(&cloud, 3, &labelled).await;
    recorded(&cloud, 450, &options()).await;
    let new = recorded(&cloud, 2, &labelled).await;
    for id in [&old[1], &new[0]] {
        assert_eq!(cancel(&cloud, id).await.status, 200);
    }
    let table = [
        (
            "label=batch-1",
            vec![&new[1], &new[0], &old[2], &old[1], &old[0]],
        ),
        (
            "label=batch-1&status=queued",
            vec![&new[1], &old[2], &old[0]],
        ),
        ("status=cancelled", vec![&new[0], &old[1]]),
        (
            "status=cancelled&type=email&limit=1",
            vec![&new[0], &old[1]],
        ),
        ("label=no-such", vec![]),
        ("status=dead", vec![]),
    ];
    for (query, expected) in table {
        let seen = walk(&cloud, query, async || {}).await;
        assert_eq!(seen.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    let odd = cloud.get("/api/queue/jobs?cursor=nonsense%20%00").await;
    assert!(odd.status.as_u16() < 500, "a foreign cursor: {odd:?}");
}

#[tokio::test]
async fn user_lists_own_jobs_and_domain_admin_those_of_the_domain() {
    let cloud = TestCloud::start().await;
    let mut made = Vec::new();
    for (tenant, user) in [
        ("a.example", "ann"),
        ("a.example", "amy"),
        ("b.example", "bob"),
        ("-", ""),
    ] {
        let options = JobOptions {
            tenant: tenant.into(),
            user: user.into(),
            ..options()
        };
        made.extend(recorded(&cloud, 1, &options).await);
    }
    let administrator = [
        ("x-user-id", "amy"),
        ("x-user-role", "domain_admin"),
        ("x-user-domain", "a.example"),
    ];
    let table = [
        (vec![("x-user-id", "ann")], vec![0]),
        (administrator.to_vec(), vec![0, 1]),
        (
            vec![("x-user-id", "eve"), ("x-user-role", "admin")],
            vec![0, 1, 2, 3],
        ),
        (vec![], vec![0, 1, 2, 3]),
    ];
    for (headers, sees) in table {
        let mut request = cloud.request(Method::GET, "/api/queue/jobs");
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let seen: BTreeSet<String> = ids(&answer(request).await.body).into_iter().collect();
        let expected: BTreeSet<String> = sees.iter().map(|place| made[*place].clone()).collect();
        assert_eq!(seen, expected, "{headers:?}");
    }
}

#[tokio::test]
async fn figures_follow_the_jobs_and_show_the_age_of_the_oldest() {
    let cloud = TestCloud::start().await;
    let done = cloud.enqueue(&signature_request("ann@example.com")).await;
    cloud.wait_for(&done, "completed").await;
    cloud.mail().faults().set(Some(local_mail::Fault::Rejected));
    let dead = cloud.enqueue(&signature_request("bob@example.com")).await;
    cloud.wait_for(&dead, "dead").await;
    let waiting = recorded(&cloud, 2, &options()).await;
    cancel(&cloud, &waiting[0]).await;
    let expected = json!({
        "total": 4, "completed": 1, "failed": 1, "pending": 1, "successRate": 50.0,
        "paused": false, "pausedTenants": 0,
    });
    assert_eq!(figures(&cloud).await, expected);

    // An hour passes without a claim of the last one.
    let now: (i64, i64) = redis::cmd("TIME")
        .query_async(&mut cloud.redis_connection().await)
        .await
        .unwrap();
    let due = (now.0 - 3600) * 1000;
    let _: i64 = redis::cmd("ZADD")
        .arg(("jobs_open:email", due, &waiting[1]))
        .query_async(&mut cloud.redis_connection().await)
        .await
        .unwrap();
    let health = cloud.get("/api/health/redis").await.body;
    let queue = &health["services"]["jobQueue"];
    let late = queue["oldestPendingSeconds"].as_u64().unwrap();
    assert!((3600..3700).contains(&late), "{queue:#}");
    assert_eq!(
        queue["stats"]["email"], expected,
        "health has the same figures"
    );
}
