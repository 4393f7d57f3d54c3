//! Dead jobs, and their redrive.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local_mail::Fault;
use serde_json::{Value, json};
use shared::base::clock::Clock;
use shared::service::job::{
    AttemptOutcome, Cancelled, Claim, Claimed, Deferral, Incoming, JobType, Jobs, NewJob, Redriven,
    Status, Viewer,
};

use super::lease::options;
use super::{cancel, delivered, figures, message, retry, wait_of};
use crate::outages::gate::{Gate, Verdict};
use crate::support::TestCloud;
use crate::support::payloads::signature_request;
use crate::support::proxy::carries;
use crate::support::store::Store;

const TO: &str = "ann@example.com";

/// Returns QStash's failure callback for a message of this job.
fn given_up(cloud: &TestCloud, id: &str, generation: u32) -> Value {
    json!({
        "sourceMessageId": format!("msg_{generation}"),
        "url": cloud.url("/api/jobs/send-email"),
        "sourceBody": STANDARD.encode(message(id, generation, TO).to_string()),
        "status": 503,
        "body": STANDARD.encode(r#"{"detail":"the response was late"}"#),
        "retried": 5,
    })
}

/// Creates a job whose retries ran out.
async fn dead(cloud: &TestCloud) -> (String, Value) {
    cloud.mail().faults().set(Some(Fault::ServerError));
    let id = cloud.enqueue(&signature_request(TO)).await;
    let job = cloud.wait_for(&id, "dead").await;
    cloud.mail().faults().set(None);
    (id, job)
}

/// Starts a cloud in which an hour of retries takes a second.
async fn fast_cloud() -> TestCloud {
    TestCloud::start_with(|settings| settings.qstash_speed = 6000.0).await
}

#[tokio::test]
async fn job_out_of_retries_is_dead_until_redriven_and_then_sends_one_mail() {
    let cloud = fast_cloud().await;
    let (id, job) = dead(&cloud).await;
    assert_eq!(job["attempts"], 6, "{job:#}");
    let error = job["error"].as_str().unwrap();
    assert!(
        error.starts_with("given up after 6 deliveries, the last answered 503: "),
        "{error}"
    );
    let stats = figures(&cloud).await;
    let counted = ["total", "completed", "failed", "pending"].map(|figure| &stats[figure]);
    assert_eq!(counted, [1, 0, 1, 0], "{stats:#}");

    let again = retry(&cloud, &id).await;
    assert_eq!(
        (again.status.as_u16(), &again.body["jobId"]),
        (202, &json!(id)),
        "{again:?}"
    );
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["error"], Value::Null, "{job:#}");
    assert_eq!(cloud.mails()[TO], 1);
    let stats = figures(&cloud).await;
    let counted = ["total", "completed", "failed", "pending"].map(|figure| &stats[figure]);
    assert_eq!(counted, [1, 1, 0, 0], "{stats:#}");
}

#[tokio::test]
async fn late_failure_callback_of_an_older_message_does_not_kill_a_redriven_job() {
    let cloud = fast_cloud().await;
    let (id, _) = dead(&cloud).await;
    delivered(&cloud, 1).await;
    cloud.qstash().hold(true);
    assert_eq!(retry(&cloud, &id).await.status, 202);
    let waiting = cloud.job(&id).await;
    let late = cloud.deliver("job-failed", &given_up(&cloud, &id, 1)).await;
    assert_eq!(
        (late.status.as_u16(), &late.body["kept"]),
        (200, &json!(true)),
        "{late:?}"
    );
    assert_eq!(cloud.job(&id).await, waiting, "the record knows better");

    let older = cloud.deliver("send-email", &message(&id, 1, TO)).await;
    assert_eq!(
        (older.status.as_u16(), &older.body["superseded"]),
        (200, &json!(true))
    );
    assert!(
        cloud.mails().is_empty(),
        "the older message does nothing either"
    );

    cloud.qstash().hold(false);
    let done = cloud.wait_for(&id, "completed").await;
    assert_eq!(cloud.mails()[TO], 1);
    for generation in [1, 2] {
        let late = cloud
            .deliver("job-failed", &given_up(&cloud, &id, generation))
            .await;
        assert_eq!(
            late.body["kept"], true,
            "a completed job is completed: {late:?}"
        );
    }
    assert_eq!(cloud.job(&id).await, done);
}

/// Returns a queued job, claimed as by its first delivery.
async fn claimed(cloud: &TestCloud, id: &str) -> (Jobs, Claim) {
    let jobs = Jobs::new(cloud.redis_client());
    let incoming = Incoming {
        job_id: id,
        job: JobType::Email,
        message_id: "msg_1",
        generation: 1,
        payload: "{}",
    };
    let Ok(Claimed::Run(claim)) = jobs.claim(incoming).await else {
        panic!("a queued job can be claimed");
    };
    (jobs, claim)
}

#[tokio::test]
async fn failure_callback_waits_for_the_running_attempt() {
    let cloud = fast_cloud().await;
    cloud.qstash().hold(true);
    let id = cloud.enqueue(&signature_request(TO)).await;
    let (jobs, claim) = claimed(&cloud, &id).await;
    let word = given_up(&cloud, &id, 1);
    let early = cloud.deliver("job-failed", &word).await;
    early.assert_problem(503, "retry", "an attempt holds the lease");
    assert!((1..=35).contains(&wait_of(&early)), "{early:?}");
    assert_eq!(cloud.job(&id).await["status"], "processing");
    retry(&cloud, &id)
        .await
        .assert_problem(409, "job_not_retryable", "it runs");
    cancel(&cloud, &id)
        .await
        .assert_problem(409, "job_not_cancellable", "it runs");

    assert!(
        jobs.commit(
            &claim,
            &AttemptOutcome::Failed("no answer was heard".into())
        )
        .await
        .unwrap()
    );
    assert_eq!(
        cloud.deliver("job-failed", &word).await.body["status"],
        "dead"
    );
    assert_eq!(cloud.job(&id).await["status"], "dead");
}

#[tokio::test]
async fn concurrent_redrives_publish_one_message() {
    let cloud = fast_cloud().await;
    let (id, _) = dead(&cloud).await;
    let before = cloud.gateway().invocations("send-email");
    cloud.qstash().hold(true);
    // The ten minutes in which the queue remembers deduplication ids take ten seconds and not a tenth of one.
    cloud.qstash().set_speed(60.0);
    let (one, other) = tokio::join!(retry(&cloud, &id), retry(&cloud, &id));
    assert_eq!((one.status.as_u16(), other.status.as_u16()), (202, 202));
    cloud.qstash().hold(false);
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["attempts"], 7, "{job:#}");
    delivered(&cloud, 2).await; // the failure callback, and the redriven message
    assert_eq!(cloud.gateway().invocations("send-email") - before, 1);
    assert_eq!(cloud.mails()[TO], 1);
}

#[tokio::test]
async fn failure_callback_without_a_record_creates_one() {
    let cloud = fast_cloud().await;
    let answer = cloud
        .deliver("job-failed", &given_up(&cloud, "lost", 1))
        .await;
    assert_eq!(answer.body["status"], "dead", "{answer:?}");
    let job = cloud.job("lost").await;
    assert_eq!(
        job["error"],
        "given up after 6 deliveries, the last answered 503: the response was late"
    );
    assert_eq!(cloud.job("msg_1").await, job, "also under its message id");
    assert_eq!(retry(&cloud, "lost").await.status, 202);
    cloud.wait_for("lost", "completed").await;
    assert_eq!(cloud.mails()[TO], 1);
}

#[tokio::test]
async fn redriven_job_keeps_its_requested_delay() {
    let cloud = TestCloud::start().await;
    let mut later = signature_request(TO);
    later["delaySeconds"] = json!(86_400);
    let id = cloud.enqueue(&later).await;
    assert_eq!(cancel(&cloud, &id).await.status, 200);
    let again = retry(&cloud, &id).await;
    assert_eq!(
        (again.status.as_u16(), &again.body["status"]),
        (202, &json!("queued"))
    );
    let waiting = cloud.enqueue(&later).await;
    assert_eq!(retry(&cloud, &waiting).await.status, 202, "not cancelled");
    // All due messages arrive before this one.
    let other = cloud.enqueue(&signature_request("bob@example.com")).await;
    cloud.wait_for(&other, "completed").await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    for id in [&id, &waiting] {
        assert_eq!(cloud.job(id).await["status"], "queued");
    }
    assert!(!cloud.mails().contains_key(TO));

    cloud.qstash().set_speed(600_000.0);
    for id in [&id, &waiting] {
        cloud.wait_for(id, "completed").await;
    }
}

#[tokio::test]
async fn job_deferred_by_a_limit_is_redriven_at_once() {
    let store = Store::start().await;
    let jobs = Jobs::new(store.client());
    let job = NewJob::new(&json!({ "to": TO })).unwrap();
    let new = std::slice::from_ref(&job);
    jobs.create(&options(), new, None).await.unwrap();
    let incoming = Incoming {
        job_id: &job.id,
        job: JobType::Email,
        message_id: "msg_1",
        generation: 1,
        payload: "{}",
    };
    let Ok(Claimed::Run(claim)) = jobs.claim(incoming).await else {
        panic!("a queued job can be claimed");
    };
    let deferral = Deferral {
        at: Clock::system().now() + std::time::Duration::from_hours(1),
        reason: "over budget".into(),
    };
    let ending = AttemptOutcome::Deferred(deferral);
    assert!(jobs.commit(&claim, &ending).await.unwrap());
    assert!(matches!(
        jobs.cancel(&job.id, Viewer::ALL).await,
        Ok(Cancelled::Done(_))
    ));
    let redriven = jobs.redrive(&job.id, Viewer::ALL).await.unwrap();
    let Redriven::Ready {
        not_before,
        generation,
        ..
    } = redriven
    else {
        panic!("{redriven:?}");
    };
    assert_eq!((not_before, generation), (None, 3));
}

/// The response to a cancellation is lost, and another caller redrives the job before the client repeats the call.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn repeated_cancellation_keeps_a_job_redriven_meanwhile() {
    let store = Store::start().await;
    let gate = Gate::start().await;
    gate.aim(&store.front.url());
    let (jobs, others) = (
        Jobs::new(Store::client_at(&gate.url())),
        Jobs::new(store.client()),
    );
    let [job, warm_up] = [(); 2].map(|()| NewJob::new(&json!({ "to": TO })).unwrap());
    for job in [&job, &warm_up] {
        let new = std::slice::from_ref(job);
        others.create(&options(), new, None).await.unwrap();
    }
    // The store has both scripts, so that each call is one request.
    others.cancel(&warm_up.id, Viewer::ALL).await.unwrap();
    others.redrive(&warm_up.id, Viewer::ALL).await.unwrap();

    let (mut requests, meanwhile, id) = (0, others.clone(), job.id.clone());
    gate.judge(move |bytes| {
        requests += u32::from(carries(bytes, "POST /"));
        if requests == 1 {
            return Verdict::CutAnswer;
        }
        let (jobs, id) = (meanwhile.clone(), id.clone());
        let redriven = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(jobs.redrive(&id, Viewer::ALL)).unwrap()
        });
        assert!(matches!(
            redriven.join().unwrap(),
            Redriven::Ready { generation: 2, .. }
        ));
        Verdict::Pass
    });
    let cancelled = jobs.cancel(&job.id, Viewer::ALL).await.unwrap();
    assert!(gate.has_failed());
    assert!(matches!(cancelled, Cancelled::Done(_)), "{cancelled:?}");
    let after = others.get(&job.id).await.unwrap().unwrap();
    assert_eq!(
        after.status,
        Status::Queued,
        "it was cancelled once, and redriven"
    );
}

/// A job was deferred, and its next message arrives before the record is committed.
#[tokio::test]
async fn continuation_message_does_not_wait_for_the_commit_before_it() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let id = cloud.enqueue(&signature_request(TO)).await;
    let (jobs, claim) = claimed(&cloud, &id).await;
    let same = cloud.deliver("send-email", &message(&id, 1, TO)).await;
    same.assert_problem(503, "retry", "another delivery of the same message");
    let next = cloud.deliver("send-email", &message(&id, 2, TO)).await;
    assert_eq!(next.status, 200, "no retry is spent: {next:?}");
    let done = cloud.job(&id).await;
    assert_eq!(
        (&done["status"], &done["attempts"]),
        (&json!("completed"), &json!(1)),
        "{done:#}"
    );
    let late = AttemptOutcome::Deferred(Deferral {
        at: jiff::Timestamp::UNIX_EPOCH,
        reason: "over budget".into(),
    });
    assert!(!jobs.commit(&claim, &late).await.unwrap());
    assert_eq!(cloud.job(&id).await, done);
    assert_eq!(cloud.mails()[TO], 1);
}
