//! Several concurrent deliveries of one job.

use std::time::Duration;

use futures_util::future::join_all;
use local_mail::Fault;
use shared::service::job::{AttemptOutcome, Claimed, Incoming, JobType, Jobs};

use super::{delivered, message, statuses, wait_of};
use crate::support::TestCloud;
use crate::support::payloads::{address, signature_request};

#[tokio::test]
async fn concurrent_deliveries_of_one_job_run_it_once() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let slow = Fault::Slow(Duration::from_millis(500));
    cloud.mail().faults().set(Some(slow));
    for (round, count) in [2, 10].into_iter().enumerate() {
        let to = address(round);
        let id = cloud.enqueue(&signature_request(&to)).await;
        let body = message(&id, 1, &to);
        let answers = join_all((0..count).map(|_| cloud.deliver("send-email", &body))).await;

        let mut ran = 0;
        for answer in &answers {
            match answer.status.as_u16() {
                200 if answer.body["repeated"] == true => {}
                200 => ran += 1,
                503 => assert!(
                    (1..=35).contains(&wait_of(answer)),
                    "a lease's length: {answer:?}"
                ),
                other => panic!("{other}: {answer:?}"),
            }
        }
        let job = cloud.job(&id).await;
        assert_eq!(ran, 1, "one of {count} runs the job: {answers:#?}");
        assert_eq!(
            statuses(&job),
            ["queued", "processing", "completed"],
            "{job:#}"
        );
        assert_eq!(cloud.mails()[&to], 1, "{count} deliveries");
    }
    // QStash's own messages arrive last, and find nothing left to do.
    cloud.qstash().hold(false);
    delivered(&cloud, 2).await;
    assert_eq!(cloud.mails()[&address(0)], 1);
    assert_eq!(cloud.mails()[&address(1)], 1);
}

#[tokio::test]
async fn delivery_during_a_held_lease_is_answered_its_end_and_changes_nothing() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let to = "ann@example.com";
    let id = cloud.enqueue(&signature_request(to)).await;
    let jobs = Jobs::new(cloud.redis_client());
    let holder = Incoming {
        job_id: &id,
        job: JobType::Email,
        message_id: "msg_holder",
        generation: 1,
        payload: "{}",
    };
    let Ok(Claimed::Run(claim)) = jobs.claim(holder).await else {
        panic!("a queued job can be claimed");
    };
    let before = cloud.job(&id).await;

    let busy = cloud.deliver("send-email", &message(&id, 1, to)).await;
    busy.assert_problem(503, "retry", "another delivery has the lease");
    assert!((1..=35).contains(&wait_of(&busy)), "{busy:?}");
    assert_eq!(
        cloud.job(&id).await,
        before,
        "a busy delivery leaves no trace"
    );
    assert!(cloud.mails().is_empty());

    assert!(
        jobs.commit(&claim, &AttemptOutcome::Failed("gave up".into()))
            .await
            .unwrap()
    );
    let ran = cloud.deliver("send-email", &message(&id, 1, to)).await;
    assert_eq!(ran.status, 200, "{ran:?}");
    assert_eq!(cloud.mails()[to], 1);
}
