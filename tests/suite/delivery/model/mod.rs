//! One job under random calls, compared with a model.
//!
//! Any call may lose its response after its script ran, so that the client repeats it: nothing may have its effect
//! twice.

mod reference;
mod subject;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::seeds;
use crate::support::store::Store;
use reference::Reference;
use subject::Subject;

/// The message of the job that a call concerns.
#[derive(Clone, Copy, Debug)]
enum Age {
    /// A superseded one.
    Older,
    /// The current one of the record.
    Current,
    /// One that was published although its record could not be written.
    Newer,
}

/// The end of an attempt.
#[derive(Clone, Copy, Debug)]
enum End {
    Completed,
    Failed,
    Panicked,
    Dead,
    Deferred,
}

/// A step in the life of the job. Attempts are counted backwards from the newest claim, 0.
#[derive(Clone, Copy, Debug)]
enum Step {
    Create,
    Claim(Age),
    Commit(usize, End),
    Progress(usize),
    Cancel,
    Redrive,
    Fail(Age),
    /// The lease expires.
    LeaseEnds,
}

/// The result for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CallResult {
    Created,
    Run {
        fence: u64,
        attempt: u32,
        panics: u32,
    },
    Busy,
    Over,
    Superseded,
    Written(bool),
    Cancelled,
    Ready(u32),
    Refused,
    Unknown,
    Dead,
    Kept,
    /// There was no call to make.
    Nothing,
}

fn step() -> impl Strategy<Value = Step> {
    let age = || prop_oneof![1 => Just(Age::Older), 6 => Just(Age::Current), 1 => Just(Age::Newer)];
    let attempt = || prop_oneof![3 => Just(0), 1 => 1..4_usize];
    let end = prop_oneof![
        1 => Just(End::Completed),
        4 => Just(End::Failed),
        2 => Just(End::Panicked),
        3 => Just(End::Dead),
        3 => Just(End::Deferred),
    ];
    prop_oneof![
        1 => Just(Step::Create),
        6 => age().prop_map(Step::Claim),
        5 => (attempt(), end).prop_map(|(attempt, end)| Step::Commit(attempt, end)),
        2 => attempt().prop_map(Step::Progress),
        3 => Just(Step::Cancel),
        3 => Just(Step::Redrive),
        2 => age().prop_map(Step::Fail),
        4 => Just(Step::LeaseEnds),
    ]
}

#[test]
fn job_in_random_event_order_runs_in_one_place_and_completes_once() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime.block_on(Store::start());
    let config = Config {
        cases: u32::try_from(seeds(64)).unwrap(),
        failure_persistence: None,
        ..Config::default()
    };
    let lives = vec((step(), prop::bool::weighted(0.3)), 1..40);
    let outcome = TestRunner::new(config).run(&lives, |steps| {
        runtime.block_on(play(&store, &steps));
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

async fn play(store: &Store, steps: &[(Step, bool)]) {
    let mut subject = Subject::new(store).await;
    let mut reference = Reference::default();
    for (place, (step, lost)) in steps.iter().enumerate() {
        let expected = reference.take(*step);
        let result = subject.take(*step, *lost).await;
        assert_eq!(result, expected, "the answer to step {place}, {step:?}");
        subject
            .check(&reference, &format!("step {place}, {step:?}"))
            .await;
    }
}
