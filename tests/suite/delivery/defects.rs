//! The original's defects in jobs, each as something that must not happen. The numbers are those of its list of
//! defects. Those of mails (39), schedules (40), notifications (28, 29, 31, 55), caches (46) and clean-up (44, 46 to
//! 48) are named with their subjects.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use local::process::port::{free, loopback};
use local_mail::Fault;
use serde_json::{Value, json};

use super::{cancel, delivered, figures, message};
use crate::support::TestCloud;
use crate::support::ledger::LedgerDatabase;
use crate::support::payloads::{address, bulk, signature_request};
use crate::support::proxy::{Proxy, carries};
use crate::support::waiting::{eventually, statuses};

const TO: &str = "ann@example.com";

/// Defect 25: the record was written after the message was published. A fast worker found no record, and the late write
/// set it to "queued" permanently.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn worker_faster_than_the_enqueue_finds_its_record() {
    let port = free().unwrap();
    let qstash = Proxy::start(loopback(port)).await;
    let url = format!("http://{}", qstash.address);
    let cloud = TestCloud::start_with(|settings| {
        settings.ports.qstash = port;
        settings.overrides.insert("QSTASH_URL".to_owned(), url);
    })
    .await;
    // QStash's response to the enqueue arrives long after the work is done.
    let done = Arc::new(AtomicBool::new(false));
    let awaited = Arc::clone(&done);
    qstash.guard_answers(move |bytes| {
        if carries(bytes, "messageId") {
            tokio::task::block_in_place(|| {
                while !awaited.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
        }
        true
    });
    let worked = async {
        let mut found = Value::Null;
        eventually("the worker is done before the enqueue is", async || {
            let jobs = cloud.get("/api/queue/jobs").await.body;
            found = jobs["items"][0].clone();
            found["status"] == "completed"
        })
        .await;
        done.store(true, Ordering::Relaxed);
        found
    };
    let payload = signature_request(TO);
    let (id, worked) = tokio::join!(cloud.enqueue(&payload), worked);
    assert_eq!(worked["jobId"], id.as_str());
    assert_eq!(cloud.job(&id).await, worked, "the enqueue writes no more");
    assert_eq!(cloud.mails()[TO], 1);
}

/// Defect 26: the status was read, changed and written back. A late delivery set a completed job to "processing" and
/// deleted its result.
#[tokio::test]
async fn late_delivery_does_not_reopen_a_completed_job() {
    let cloud = TestCloud::start().await;
    let id = cloud.enqueue(&signature_request(TO)).await;
    let done = cloud.wait_for(&id, "completed").await;
    assert_eq!(done["result"]["sent"], 1, "{done:#}");
    for (late, generation) in [("msg_late", 1), ("msg_newer", 2), ("msg_older", 0)] {
        let body = message(&id, generation, TO);
        let answer = cloud.deliver_as(late, "send-email", &body).await;
        assert_eq!(answer.body["repeated"], true, "{late}: {answer:?}");
        assert_eq!(cloud.job(&id).await, done, "{late}");
    }
    assert_eq!(cancel(&cloud, &id).await.status, 409);
    assert_eq!(cloud.job(&id).await, done, "it cannot be cancelled either");
    assert_eq!(cloud.mails()[TO], 1);
}

/// Defect 27: each retry repeated mails, notifications and audit events, and a bulk started with its first recipient.
#[tokio::test]
async fn effects_are_not_repeated_after_redis_lost_the_completed_job() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    let mut many = bulk(3);
    many["type"] = "bulk".into();
    let user = uuid::Uuid::new_v4();
    let notification =
        json!({ "type": "general", "userId": user, "title": "News", "message": "There are." });
    let signed = json!({ "action": "sign", "resourceType": "document", "resourceId": "d-1" });
    let jobs = [
        ("send-email", signature_request(TO)),
        ("send-email", many),
        ("send-notification", notification),
        ("audit-log", signed),
    ];
    for round in 0..3 {
        for (place, (handler, payload)) in jobs.iter().enumerate() {
            let mut body = payload.clone();
            body["jobId"] = format!("job-{place}").into();
            let answer = cloud.deliver(handler, &body).await;
            assert_eq!(answer.status, 200, "{handler}, {round}: {answer:?}");
        }
        let mut redis = cloud.redis_connection().await;
        let () = redis::cmd("FLUSHALL")
            .query_async(&mut redis)
            .await
            .unwrap();
    }
    let mails = cloud.mails();
    assert_eq!(mails.len(), 4, "{mails:?}");
    assert!(mails.values().all(|count| *count == 1), "{mails:?}");
    for (table, rows) in [("public.notifications", 1), ("public.audit_logs", 1)] {
        let count = format!("select to_jsonb(count(*)) as value from {table}");
        assert_eq!(database.read(&count).await, rows, "{table}");
    }
}

/// Defect 28: a failure was answered with 200, and a bulk with one sent mail was a success.
#[tokio::test]
async fn failed_mail_is_not_answered_200_and_no_bulk_recipient_is_lost() {
    let cloud = TestCloud::start().await;
    let faults = cloud.mail().faults();
    faults.set(Some(Fault::ServerError));
    let mut single = signature_request(TO);
    single["jobId"] = "job-1".into();
    let failed = cloud.deliver("send-email", &single).await;
    failed.assert_problem(503, "retry", "the provider is down");
    assert_eq!(cloud.job("job-1").await["status"], "failed");

    faults.set(None);
    faults.for_recipient(&address(1), Some(Fault::ServerError));
    let mut many = bulk(3);
    many["type"] = "bulk".into();
    many["jobId"] = "job-2".into();
    let failed = cloud.deliver("send-email", &many).await;
    failed.assert_problem(503, "retry", "one of three was not sent");
    faults.for_recipient(&address(1), None);
    let done = cloud.deliver("send-email", &many).await;
    assert_eq!(done.status, 200, "{done:?}");
    for number in 0..3 {
        assert_eq!(cloud.mails()[&address(number)], 1, "{number}");
    }
}

/// Defect 38: a bulk was enqueued as a list of complete mails, whose own fields the handler did not read.
#[tokio::test]
async fn bulk_with_whole_mails_is_refused_and_its_own_fields_are_used() {
    let cloud = TestCloud::start().await;
    let whole = json!({ "emails": [signature_request(TO)] });
    let refused = cloud.post("/api/queue/emails/bulk", &whole).await;
    refused.assert_problem(422, "invalid_input", "a list of whole mails");
    let pointer = refused.body["errors"][0]["pointer"].as_str().unwrap();
    assert!(pointer.starts_with("/emails/0"), "{refused:?}");

    let taken = cloud.post("/api/queue/emails/bulk", &bulk(2)).await;
    let id = taken.body["jobIds"][0].as_str().unwrap();
    cloud.wait_for(id, "completed").await;
    for number in 0..2 {
        let to = address(number);
        let mail = &cloud.mail().messages(Some(&to))[0];
        let link = to.replace('@', "%40");
        for word in [
            "Lease of a flat",
            "Bob Owner",
            &format!("Signer {number}"),
            &link,
        ] {
            assert!(mail.text.contains(word), "{word}: {}", mail.text);
        }
        assert!(!mail.text.contains("undefined"), "{}", mail.text);
    }
}

/// Defect 41: a delay that was not a whole number of seconds threw an exception that no caller saw.
#[tokio::test]
async fn fractional_delay_is_accepted() {
    let cloud = TestCloud::start().await;
    for delay in [json!(1.5), json!(90.25), json!(1e-3)] {
        let mut mail = signature_request(TO);
        mail["delaySeconds"] = delay.clone();
        let refused = cloud.post("/api/queue/emails", &mail).await;
        refused.assert_invalid("/delaySeconds", &delay.to_string());
    }
    // Hours in a text may be fractional.
    let warning = json!({
        "type": "document_expiry_warning", "userId": uuid::Uuid::new_v4(), "hoursUntilExpiry": 1.5, "delaySeconds": 1,
    });
    let taken = cloud.post("/api/queue/notifications", &warning).await;
    assert_eq!(taken.status, 202, "{taken:?}");
    let id = taken.body["jobId"].as_str().unwrap();
    cloud.wait_for(id, "completed").await;
}

/// Defect 42: each retry restarted the count of retries, so a failing message was retried forever; the count of queued
/// jobs could fall below zero.
#[tokio::test]
async fn always_failing_mail_stops_after_its_retries() {
    let cloud = TestCloud::start_with(|settings| {
        settings.qstash_speed = 6000.0;
        // Deliveries are counted exactly.
        settings.qstash_disorder = None;
    })
    .await;
    cloud.mail().faults().set(Some(Fault::ServerError));
    let id = cloud.enqueue(&signature_request(TO)).await;
    let job = cloud.wait_for(&id, "dead").await;
    assert_eq!(job["attempts"], 6, "{job:#}");
    assert_eq!(statuses(&job).last(), Some(&"dead"), "{job:#}");
    // The queue's failure callback, and nothing after it.
    delivered(&cloud, 1).await;
    let stats = figures(&cloud).await;
    let counted = ["total", "completed", "failed", "pending"].map(|figure| &stats[figure]);
    assert_eq!(counted, [1, 0, 1, 0], "{stats:#}");
    assert_eq!(cloud.gateway().invocations("send-email"), 6);
}

/// Defect 45: the record kept the whole payload for a day, and the handler threw if it could not record its error.
#[tokio::test]
async fn completed_job_keeps_no_address_and_lost_redis_is_answered_503() {
    let cloud = TestCloud::start().await;
    let id = cloud.enqueue(&signature_request(TO)).await;
    cloud.wait_for(&id, "completed").await;
    let mut redis = cloud.redis_connection().await;
    let record: Vec<String> = redis::cmd("HGETALL")
        .arg(format!("job:{id}"))
        .query_async(&mut redis)
        .await
        .unwrap();
    let record = record.join(" ");
    assert!(record.contains("completed"), "{record}");
    for private in [TO, "Ann Signer", "Lease of a flat", "https://"] {
        assert!(!record.contains(private), "{private}: {record}");
    }

    // The provider rejects the mail, and Redis is unavailable when that is to be recorded.
    cloud.qstash().hold(true);
    let id = cloud.enqueue(&signature_request(TO)).await;
    cloud
        .mail()
        .faults()
        .set(Some(Fault::Slow(Duration::from_millis(700))));
    let message = message(&id, 1, TO);
    let (answer, ()) = tokio::join!(cloud.deliver("send-email", &message), async {
        eventually("the mail is under way", async || {
            cloud.job(&id).await["status"] == "processing"
        })
        .await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        cloud
            .redis()
            .faults()
            .set(Some(local_redis_rest::Fault::Refused));
    });
    cloud.redis().faults().set(None);
    answer.assert_problem(503, "retry", "the end could not be written down");
    assert!(!cloud.logs().contains("panicked"));
}
