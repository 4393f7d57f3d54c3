//! The functions themselves: more than one instance, and too little time.

use std::time::Duration;

use local_mail::Fault;

use super::{assert_one_mail_each, refused_deliveries, statuses};
use crate::support::TestCloud;
use crate::support::payloads::{address, bulk, signature_request};

#[tokio::test]
async fn overlapping_jobs_run_in_several_instances_and_complete_once() {
    let cloud = TestCloud::start().await;
    cloud
        .mail()
        .faults()
        .set(Some(Fault::Slow(Duration::from_millis(800))));
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(cloud.enqueue(&signature_request(&address(number))).await);
    }
    for id in &ids {
        let job = cloud.wait_for(id, "completed").await;
        assert_eq!(job["attempts"], 1, "{job:#}");
    }
    assert!(
        cloud.gateway().instances("send-email") > 1,
        "they did overlap"
    );
    let recipients: Vec<String> = (0..4).map(address).collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    assert_one_mail_each(&cloud, &recipients, "several instances");
}

#[tokio::test]
async fn bulk_longer_than_one_attempt_continues_in_new_messages_without_repeats() {
    // A function that may run for 9 s instead of 29 works for 6: the same arithmetic, with a shorter wait.
    let cloud = TestCloud::start_with(|settings| {
        let template = std::fs::read_to_string(&settings.template).unwrap();
        let shorter = template.replacen("Timeout: 29", "Timeout: 9", 1);
        assert_ne!(shorter, template);
        settings.template = settings.data.join("template.yaml");
        std::fs::write(&settings.template, shorter).unwrap();
    })
    .await;
    cloud
        .mail()
        .faults()
        .set(Some(Fault::Slow(Duration::from_millis(1200))));
    let taken = cloud.post("/api/queue/emails/bulk", &bulk(5)).await;
    let job = cloud
        .wait_for(taken.body["jobIds"][0].as_str().unwrap(), "completed")
        .await;
    let life = statuses(&job);
    assert_eq!(life[..3], ["queued", "processing", "deferred"], "{job:#}");
    assert!(
        !life.contains(&"failed"),
        "running out of time is no failure: {job:#}"
    );
    assert!(
        refused_deliveries(&cloud).await.is_empty(),
        "no retry is spent"
    );
    let settled =
        job["result"]["sent"].as_u64().unwrap() + job["result"]["skipped"].as_u64().unwrap();
    assert_eq!(settled, 5, "{job:#}");
    assert_eq!(
        job["result"]["skipped"], 0,
        "each attempt begins where the one before ended: {job:#}"
    );
    assert_eq!(job["attempts"], 1, "going on is no attempt: {job:#}");
    assert_eq!(job["result"]["inDoubt"], 0, "{job:#}");
    let recipients: Vec<String> = (0..5).map(address).collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    assert_one_mail_each(&cloud, &recipients, "continued");
}
