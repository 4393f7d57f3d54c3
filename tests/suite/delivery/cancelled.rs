//! Jobs that were cancelled before their message arrived.

use super::{cancel, delivered, figures, message, retry, statuses};
use crate::support::TestCloud;
use crate::support::payloads::signature_request;

#[tokio::test]
async fn job_cancelled_before_its_delivery_sends_nothing() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let to = "ann@example.com";
    let id = cloud.enqueue(&signature_request(to)).await;
    let answer = cancel(&cloud, &id).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["status"]),
        (200, &"cancelled".into())
    );

    let early = cloud.deliver("send-email", &message(&id, 1, to)).await;
    assert_eq!(
        (early.status.as_u16(), &early.body["repeated"]),
        (200, &true.into()),
        "{early:?}"
    );
    cloud.qstash().hold(false);
    delivered(&cloud, 1).await;
    let job = cloud.job(&id).await;
    assert_eq!(statuses(&job), ["queued", "cancelled"], "{job:#}");
    assert!(cloud.mails().is_empty());
    let stats = figures(&cloud).await;
    assert_eq!(
        (&stats["total"], &stats["pending"]),
        (&1.into(), &0.into()),
        "{stats:#}"
    );

    cancel(&cloud, &id)
        .await
        .assert_problem(409, "job_not_cancellable", "it has ended");
    assert_eq!(
        retry(&cloud, &id).await.status,
        202,
        "a cancelled job can be redriven"
    );
    cloud.wait_for(&id, "completed").await;
    assert_eq!(cloud.mails()[to], 1);
    cancel(&cloud, &id)
        .await
        .assert_problem(409, "job_not_cancellable", "it is done");
    retry(&cloud, &id)
        .await
        .assert_problem(409, "job_not_retryable", "it is done");
}
