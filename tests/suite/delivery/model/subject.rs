//! The same job in Redis, controlled through the service.

use std::collections::BTreeMap;

use jiff::Timestamp;
use local_redis_rest::Fault;
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;
use serde_json::json;
use shared::service::job::{
    AttemptOutcome, Cancelled, Claim, Claimed, Created, Deferral, Failed, Incoming, JobType, Jobs,
    NewJob, Progress, Redriven, Refusal, Status, Viewer,
};

use super::super::lease::options;
use super::reference::Reference;
use super::{Age, CallResult, End, Step};
use crate::support::store::Store;

/// A new job in an empty store.
pub(super) struct Subject<'a> {
    store: &'a Store,
    redis: MultiplexedConnection,
    jobs: Jobs,
    new: NewJob,
    claims: Vec<Claim>,
    /// The record at its completion.
    completed: Option<BTreeMap<String, String>>,
}

impl<'a> Subject<'a> {
    pub(super) async fn new(store: &'a Store) -> Self {
        let mut redis = store.direct().await;
        let _: () = redis::cmd("FLUSHDB").query_async(&mut redis).await.unwrap();
        Self {
            store,
            redis,
            jobs: Jobs::new(store.client()),
            new: NewJob::new(&json!({ "to": "ann@example.com" })).unwrap(),
            claims: Vec::new(),
            completed: None,
        }
    }

    fn key(&self) -> String {
        format!("job:{}", self.new.id)
    }

    async fn record(&mut self) -> BTreeMap<String, String> {
        let key = self.key();
        self.redis.hgetall(key).await.unwrap()
    }

    /// Makes a step; if its response is lost, the client repeats it itself.
    pub(super) async fn take(&mut self, step: Step, lost: bool) -> CallResult {
        let generation = match step {
            Step::Claim(age) | Step::Fail(age) => self.generation(age).await,
            _ => 0,
        };
        if lost {
            self.store.front.faults().set_for_next(1, Fault::CutAnswer);
        }
        let result = self.call(step, generation).await;
        self.store.front.faults().set(None);
        if let CallResult::Run { .. } = result {
            let (_, older) = self.claims.split_last().unwrap();
            for claim in older {
                let progress = Progress { done: 1, total: 1 };
                let lives = self.jobs.progress(claim, progress).await.unwrap();
                assert!(!lives, "two claims at a time: {claim:?}");
            }
        }
        result
    }

    async fn generation(&mut self, age: Age) -> u32 {
        let record = self.record().await;
        let current: u32 = record
            .get("generation")
            .map_or(1, |text| text.parse().unwrap());
        match age {
            Age::Older => current.saturating_sub(1),
            Age::Current => current,
            Age::Newer => current + 1,
        }
    }

    async fn call(&mut self, step: Step, generation: u32) -> CallResult {
        let id = self.new.id.clone();
        let incoming = Incoming {
            job_id: &id,
            job: JobType::Email,
            message_id: "msg_1",
            generation,
            payload: "{}",
        };
        match step {
            Step::Create => {
                let new = std::slice::from_ref(&self.new);
                assert_eq!(
                    self.jobs.create(&options(), new, None).await.unwrap(),
                    Created::New
                );
                CallResult::Created
            }
            Step::Claim(_) => match self.jobs.claim(incoming).await.unwrap() {
                Claimed::Run(claim) => {
                    let Claim {
                        fence,
                        attempt,
                        panics,
                        ..
                    } = claim;
                    self.claims.push(claim);
                    CallResult::Run {
                        fence,
                        attempt,
                        panics,
                    }
                }
                Claimed::Busy(_) => CallResult::Busy,
                Claimed::Over => CallResult::Over,
                Claimed::Superseded => CallResult::Superseded,
                Claimed::Foreign => panic!("there is one type here"),
            },
            Step::Commit(back, end) => match self.held(back) {
                Some(claim) => {
                    CallResult::Written(self.jobs.commit(claim, &ending(end)).await.unwrap())
                }
                None => CallResult::Nothing,
            },
            Step::Progress(back) => match self.held(back) {
                Some(claim) => {
                    let progress = Progress { done: 1, total: 2 };
                    CallResult::Written(self.jobs.progress(claim, progress).await.unwrap())
                }
                None => CallResult::Nothing,
            },
            Step::Cancel => match self.jobs.cancel(&id, Viewer::ALL).await.unwrap() {
                Cancelled::Done(_) => CallResult::Cancelled,
                Cancelled::Refused(refusal) => refused(refusal),
            },
            Step::Redrive => match self.jobs.redrive(&id, Viewer::ALL).await.unwrap() {
                Redriven::Ready { generation, .. } => CallResult::Ready(generation),
                Redriven::Refused(refusal) => refused(refusal),
            },
            Step::Fail(_) => match self.jobs.fail(incoming, "given up").await.unwrap() {
                Failed::Dead => CallResult::Dead,
                Failed::Kept => CallResult::Kept,
                Failed::Busy(_) => CallResult::Busy,
            },
            Step::LeaseEnds => {
                let key = self.key();
                if self.redis.hexists(&key, "leaseUntil").await.unwrap() {
                    let _: () = self.redis.hset(&key, "leaseUntil", 1).await.unwrap();
                }
                CallResult::Nothing
            }
        }
    }

    fn held(&self, back: usize) -> Option<&Claim> {
        self.claims.iter().rev().nth(back)
    }

    /// Compares the record and the counters with the model.
    pub(super) async fn check(&mut self, reference: &Reference, why: &str) {
        let record = self.record().await;
        match &reference.record {
            None => assert!(record.is_empty(), "{why}: {record:?}"),
            Some(expected) => {
                let job = self.jobs.get(&self.new.id).await.unwrap().unwrap();
                assert_eq!(
                    (job.status, job.attempts),
                    (expected.status, expected.attempts),
                    "{why}"
                );
                let number = |name: &str| record[name].parse::<u32>().unwrap();
                assert_eq!(number("generation"), expected.generation, "{why}");
                let key = self.key();
                let left: i64 = self.redis.pttl(key).await.unwrap();
                assert!(left > 0, "{why}: the record stays forever");
            }
        }
        if let Some(completed) = &self.completed {
            assert_eq!(&record, completed, "{why}: a completed job changed");
        } else if reference
            .record
            .as_ref()
            .is_some_and(|job| job.status == Status::Completed)
        {
            self.completed = Some(record);
        }
        let figures = self.jobs.stats(Timestamp::UNIX_EPOCH).await.unwrap();
        let (_, figures) = figures.into_iter().next().unwrap();
        let counted = [
            figures.total,
            figures.completed,
            figures.failed,
            figures.pending,
        ];
        let expected = [
            reference.total,
            reference.completed,
            reference.dead,
            reference.pending(),
        ];
        assert_eq!(counted, expected, "{why}: total, completed, dead, pending");
    }
}

/// Returns the store's refusal of an impossible action.
fn refused(refusal: Refusal) -> CallResult {
    match refusal {
        Refusal::Unknown => CallResult::Unknown,
        Refusal::Foreign | Refusal::Status(_) => CallResult::Refused,
    }
}

fn ending(end: End) -> AttemptOutcome {
    match end {
        End::Completed => AttemptOutcome::Completed(json!({ "sent": 1 })),
        End::Failed => AttemptOutcome::Failed("failed".into()),
        End::Panicked => AttemptOutcome::Panicked("panicked".into()),
        End::Dead => AttemptOutcome::Dead("dead".into()),
        End::Deferred => AttemptOutcome::Deferred(Deferral {
            at: Timestamp::UNIX_EPOCH,
            reason: "later".into(),
        }),
    }
}
