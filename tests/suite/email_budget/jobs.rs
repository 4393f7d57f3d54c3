//! The effect of the budgets on jobs, through the binaries. No test waits for a window to pass: it deletes a counter
//! instead, which has the same effect.

use http::Method;
use redis::AsyncCommands as _;

use crate::support::TestCloud;
use crate::support::cloud::{answer, with_json};
use crate::support::payloads::{address, bulk, signature_request};
use crate::support::waiting::statuses;

const ANN: &str = "ann@example.com";

/// Starts a cloud with budgets of a day, which outlast every test, and a queue in which a day takes seconds.
async fn cloud(recipient: u64, tenant: u64) -> TestCloud {
    TestCloud::start_with(|settings| {
        settings.qstash_speed = 20_000.0;
        for (name, count) in [
            ("RATE_LIMIT_EMAIL", recipient),
            ("RATE_LIMIT_EMAIL_TENANT", tenant),
        ] {
            let rate = format!("{count}/1d");
            settings.overrides.insert(name.to_owned(), rate);
        }
    })
    .await
}

/// Ends every window of these counters, as if time had passed.
async fn pass_windows(cloud: &TestCloud, of: &str) {
    let mut redis = cloud.redis_connection().await;
    let keys: Vec<String> = redis.keys(format!("rl:email:{of}:*")).await.unwrap();
    assert!(!keys.is_empty(), "nothing is counted of {of}");
    let _: () = redis.del(keys).await.unwrap();
}

/// Enqueues a mail of a tenant.
async fn enqueue_of(cloud: &TestCloud, domain: &str, to: &str) -> String {
    let request = cloud
        .request(Method::POST, "/api/queue/emails")
        .header("x-user-id", "user-1")
        .header("x-user-email", "owner@example.com")
        .header("x-user-role", "user")
        .header("x-user-domain", domain);
    let taken = answer(with_json(request, &signature_request(to))).await;
    assert_eq!(taken.status, 202, "{taken:?}");
    taken.body["jobId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn mail_over_the_recipients_budget_is_deferred_until_the_window_passes() {
    let cloud = cloud(20, 50_000).await;
    for _ in 0..20 {
        let id = cloud.enqueue(&signature_request(ANN)).await;
        cloud.wait_for(&id, "completed").await;
    }
    let id = cloud.enqueue(&signature_request(ANN)).await;
    let job = cloud.wait_for(&id, "deferred").await;
    assert_eq!(cloud.mails()[ANN], 20, "{job:#}");
    assert!(!job.to_string().contains("ann@"), "{job:#}");

    let other = cloud.enqueue(&signature_request("bob@example.com")).await;
    cloud.wait_for(&other, "completed").await;

    pass_windows(&cloud, ANN).await;
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["result"]["sent"], 1, "{job:#}");
    assert_eq!(cloud.mails()[ANN], 21, "{job:#}");
    assert!(!statuses(&job).contains(&"failed"), "no retry is spent");
}

#[tokio::test]
async fn bulk_recipient_without_budget_does_not_delay_the_others() {
    let cloud = cloud(1, 50_000).await;
    let exhausted = address(2);
    let first = cloud.enqueue(&signature_request(&exhausted)).await;
    cloud.wait_for(&first, "completed").await;

    let taken = cloud.post("/api/queue/emails/bulk", &bulk(5)).await;
    let id = taken.body["jobIds"][0].as_str().unwrap().to_owned();
    let job = cloud.wait_for(&id, "deferred").await;
    let why = job["timeline"].to_string();
    assert!(why.contains("budget of 1 "), "{job:#}");
    let mails = cloud.mails();
    assert_eq!(mails.len(), 5, "{mails:?}");
    assert!(
        mails.values().all(|count| *count == 1),
        "{mails:?}: {job:#}"
    );

    pass_windows(&cloud, &exhausted).await;
    let job = cloud.wait_for(&id, "completed").await;
    // It continues at the one that waited: the two before it are in the result, the two after it are looked up again.
    assert_eq!(job["result"]["sent"], 3, "{job:#}");
    assert_eq!(job["result"]["skipped"], 2, "{job:#}");
    let mails = cloud.mails();
    for number in 0..5 {
        let expected = if number == 2 { 2 } else { 1 };
        assert_eq!(mails[&address(number)], expected, "{number}: {job:#}");
    }
}

#[tokio::test]
async fn tenant_over_its_daily_budget_waits_and_others_do_not() {
    let cloud = cloud(1000, 2).await;
    for number in 0..2 {
        let id = enqueue_of(&cloud, "big.example", &address(number)).await;
        cloud.wait_for(&id, "completed").await;
    }
    let held = enqueue_of(&cloud, "big.example", &address(2)).await;
    cloud.wait_for(&held, "deferred").await;
    for (number, domain) in [(3, "small.example"), (4, "other.example")] {
        let id = enqueue_of(&cloud, domain, &address(number)).await;
        cloud.wait_for(&id, "completed").await;
    }
    for number in 5..9 {
        let id = cloud.enqueue(&signature_request(&address(number))).await;
        cloud.wait_for(&id, "completed").await;
    }
    assert_eq!(cloud.mails().len(), 8);

    pass_windows(&cloud, "tenant:big.example").await;
    cloud.wait_for(&held, "completed").await;
    assert_eq!(cloud.mails()[&address(2)], 1);
}

#[tokio::test]
async fn redelivered_job_is_charged_once() {
    let cloud = cloud(2, 50_000).await;
    let fault = local_mail::Fault::ServerError;
    cloud.mail().faults().set_for_next(3, fault);
    let id = cloud.enqueue(&signature_request(ANN)).await;
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["attempts"], 4, "{job:#}");
    let second = cloud.enqueue(&signature_request(ANN)).await;
    cloud.wait_for(&second, "completed").await;
    assert_eq!(cloud.mails()[ANN], 2);
}
