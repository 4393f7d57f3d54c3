//! The lease and its fence, without a function.

use redis::AsyncCommands as _;
use serde_json::json;
use shared::service::job::{
    AttemptOutcome, Claim, Claimed, Deferral, Incoming, JobOptions, JobType, Jobs, NewJob,
    Priority, Progress, Status,
};

use crate::support::store::Store;

/// Returns options without any particular values.
pub(super) fn options() -> JobOptions {
    JobOptions {
        job: JobType::Email,
        priority: Priority::Normal,
        tenant: "-".into(),
        user: String::new(),
        label: String::new(),
        not_before: None,
    }
}

async fn claim(jobs: &Jobs, id: &str, message_id: &str) -> Claimed {
    let incoming = Incoming {
        job_id: id,
        job: JobType::Email,
        message_id,
        generation: 1,
        payload: "{}",
    };
    jobs.claim(incoming).await.unwrap()
}

async fn claimed(jobs: &Jobs, id: &str, message_id: &str) -> Claim {
    match claim(jobs, id, message_id).await {
        Claimed::Run(claim) => claim,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn delivery_with_a_lost_lease_can_neither_commit_nor_report_progress() {
    let store = Store::start().await;
    let jobs = Jobs::new(store.client());
    let job = NewJob::new(&json!({ "to": "ann@example.com" })).unwrap();
    jobs.create(&options(), std::slice::from_ref(&job), None)
        .await
        .unwrap();

    let first = claimed(&jobs, &job.id, "msg_first").await;
    let meanwhile = claim(&jobs, &job.id, "msg_second").await;
    assert!(matches!(meanwhile, Claimed::Busy(_)), "{meanwhile:?}");
    let mut redis = store.direct().await;
    let key = format!("job:{}", job.id);
    let _: () = redis.hset(&key, "leaseUntil", 1).await.unwrap();
    let second = claimed(&jobs, &job.id, "msg_second").await;
    assert!(second.fence > first.fence, "{second:?}");

    let progress = Progress { done: 1, total: 2 };
    for ending in [
        AttemptOutcome::Completed(json!({ "sent": 1 })),
        AttemptOutcome::Failed("too late".into()),
        AttemptOutcome::Dead("too late".into()),
        AttemptOutcome::Deferred(Deferral {
            at: jiff::Timestamp::UNIX_EPOCH,
            reason: "too late".into(),
        }),
    ] {
        assert!(
            !jobs.commit(&first, &ending).await.unwrap(),
            "{ending:?} of a lost lease"
        );
        assert!(
            !jobs.progress(&first, progress).await.unwrap(),
            "progress of a lost lease"
        );
    }
    let seen = jobs.get(&job.id).await.unwrap().unwrap();
    assert_eq!(
        (seen.status, seen.progress),
        (Status::Processing, None),
        "nothing was written"
    );

    assert!(jobs.progress(&second, progress).await.unwrap());
    assert!(
        jobs.commit(&second, &AttemptOutcome::Completed(json!({})))
            .await
            .unwrap()
    );
    assert!(
        !jobs
            .commit(&first, &AttemptOutcome::Failed("much too late".into()))
            .await
            .unwrap()
    );
    let seen = jobs.get(&job.id).await.unwrap().unwrap();
    assert_eq!(
        (seen.status, seen.progress),
        (Status::Completed, Some(progress))
    );
    let note = seen.timeline[2].note.as_deref().unwrap();
    assert_eq!(note, "attempt 2, the lease of the one before ran out");
}

#[tokio::test]
async fn attempt_with_an_expired_lease_may_commit_until_another_claims() {
    let store = Store::start().await;
    let jobs = Jobs::new(store.client());
    let job = NewJob::new(&json!({ "to": "ann@example.com" })).unwrap();
    jobs.create(&options(), std::slice::from_ref(&job), None)
        .await
        .unwrap();
    let slow = claimed(&jobs, &job.id, "msg_slow").await;
    let key = format!("job:{}", job.id);
    let _: () = store
        .direct()
        .await
        .hset(&key, "leaseUntil", 1)
        .await
        .unwrap();
    assert!(
        jobs.commit(&slow, &AttemptOutcome::Completed(json!({})))
            .await
            .unwrap()
    );
    assert_eq!(claim(&jobs, &job.id, "msg_late").await, Claimed::Over);
}
