//! The main job: one e-mail from the API to the mailbox, and its complete timeline.

use crate::support::TestCloud;
use crate::support::payloads::{address, bulk, signature_request};

#[tokio::test]
async fn signature_request_is_mailed_and_its_timeline_is_readable() {
    let cloud = TestCloud::start().await;
    let id = cloud.enqueue(&signature_request("ann@example.com")).await;
    let job = cloud.wait_for(&id, "completed").await;

    let mails = cloud.mail().messages(Some("ann@example.com"));
    assert_eq!(mails.len(), 1);
    assert!(mails[0].html.contains("https://app.example.com/sign/1"));
    assert!(mails[0].text.contains("https://app.example.com/sign/1"));
    let statuses: Vec<&str> = job["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|moment| moment["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["queued", "processing", "completed"]);
    assert_eq!(job["attempts"], 1);
    assert_eq!(job["result"]["sent"], 1);
    assert!(job["completedAt"].is_string());
}

#[tokio::test]
async fn bulk_of_250_becomes_three_jobs_and_one_mail_per_recipient() {
    let cloud = TestCloud::start().await;
    let before = cloud.qstash().requests();
    let taken = cloud.post("/api/queue/emails/bulk", &bulk(250)).await;
    assert_eq!(taken.status, 202, "{taken:?}");
    assert_eq!(
        cloud.qstash().requests() - before,
        1,
        "one request for all messages"
    );

    let ids = taken.body["jobIds"].as_array().unwrap();
    assert_eq!(ids.len(), 3);
    for id in ids {
        cloud.wait_for(id.as_str().unwrap(), "completed").await;
    }
    let mails = cloud.mails();
    assert_eq!(mails.len(), 250);
    assert!(mails.values().all(|count| *count == 1));
    assert!(mails.contains_key(&address(249)));

    let batch = taken.body["batchId"].as_str().unwrap();
    let page = cloud.get(&format!("/api/queue/jobs?label={batch}")).await;
    assert_eq!(page.body["items"].as_array().unwrap().len(), 3);
}
