//! Rate limits of the mail providers: everything is delivered within them, once, without a dead job and without
//! excessive deferrals.

use std::time::Duration;

use futures_util::future::join_all;
use local_mail::Provider;
use serde_json::Value;

use crate::support::TestCloud;
use crate::support::payloads::{bulk, signature_request};
use crate::support::waiting::statuses;

/// A timeout longer than any of these takes at its rate.
const ENOUGH: Duration = Duration::from_mins(3);

async fn cloud(provider: Provider, per_second: u32) -> TestCloud {
    TestCloud::start_with(|settings| {
        settings.email_provider = provider;
        settings.ses_rate = Some(per_second);
        settings.resend_rate = Some(per_second);
    })
    .await
}

async fn enqueue_bulk(cloud: &TestCloud, recipients: usize) -> String {
    let taken = cloud
        .post("/api/queue/emails/bulk", &bulk(recipients))
        .await;
    assert_eq!(taken.status, 202, "{taken:?}");
    taken.body["jobIds"][0].as_str().unwrap().to_owned()
}

/// Returns the number of deferrals of the job, which has never failed.
fn deferrals(job: &Value) -> usize {
    let life = statuses(job);
    assert!(!life.contains(&"failed"), "{job:#}");
    life.iter().filter(|status| **status == "deferred").count()
}

#[track_caller]
fn assert_one_mail_each(cloud: &TestCloud, recipients: usize) {
    let mails = cloud.mails();
    assert_eq!(mails.len(), recipients);
    assert!(mails.values().all(|count| *count == 1), "{mails:?}");
}

#[tokio::test]
async fn bulk_of_100_is_delivered_at_each_providers_default_rate() {
    let usual = [
        (Provider::Ses, local_mail::Settings::DEFAULT_SES_RATE, 0),
        // Twenty seconds of mails: a slow machine continues in a second delivery.
        (
            Provider::Resend,
            local_mail::Settings::DEFAULT_RESEND_RATE,
            2,
        ),
    ];
    let runs = usual.map(async |(provider, rate, most)| {
        let cloud = cloud(provider, rate).await;
        let id = enqueue_bulk(&cloud, 100).await;
        let job = cloud.wait_longer_for(&id, "completed", ENOUGH).await;
        assert!(deferrals(&job) <= most, "{provider}: {job:#}");
        assert_one_mail_each(&cloud, 100);
        let asked = cloud.mail().requests();
        // One throttle per second, and few more.
        assert!(asked <= 140, "{provider}: {asked} calls for 100 mails");
    });
    join_all(runs).await;
}

#[tokio::test]
async fn bulk_is_delivered_in_the_sandbox_at_one_mail_per_second() {
    let cloud = cloud(Provider::Ses, 1).await;
    let id = enqueue_bulk(&cloud, 30).await;
    let job = cloud.wait_longer_for(&id, "completed", ENOUGH).await;
    assert!((1..=4).contains(&deferrals(&job)), "{job:#}");
    assert_one_mail_each(&cloud, 30);
}

#[tokio::test]
async fn jobs_sharing_a_rate_complete_without_spending_a_retry() {
    let cloud = cloud(Provider::Resend, 5).await;
    let many = async {
        let letters: Vec<Value> = (0..30)
            .map(|number| signature_request(&format!("single-{number}@example.com")))
            .collect();
        join_all(letters.iter().map(|letter| cloud.enqueue(letter))).await
    };
    let (mut ids, first, second) =
        tokio::join!(many, enqueue_bulk(&cloud, 20), enqueue_bulk(&cloud, 20));
    ids.extend([first, second]);
    let mut deferred = 0;
    for id in &ids {
        let job = cloud.wait_longer_for(id, "completed", ENOUGH).await;
        deferred += deferrals(&job);
    }
    // Seventy mails take fourteen seconds: hardly any job reaches its deadline.
    assert!(
        deferred <= ids.len() / 8,
        "{deferred} deferrals of {} jobs",
        ids.len()
    );
    // The second bulk has the same recipients as the first; each gets a mail of its own job.
    let mails = cloud.mails();
    assert_eq!(mails.len(), 50, "{mails:?}");
    assert_eq!(mails.values().sum::<usize>(), 70, "{mails:?}");
}
