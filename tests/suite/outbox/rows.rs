//! The table's rows: writers' rights, claims and retention. On a real PostgreSQL.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;
use shared::protocol::postgres;
use shared::service::job::JobType;
use shared::service::outbox::{Claimed, Entry, Kind, Outbox, Outcome, Row};

use crate::support::ledger::LedgerDatabase;
use crate::support::seeds;

const JOBS: &[Kind] = &[Kind::Job];

fn outbox(database: &LedgerDatabase) -> Outbox {
    Outbox::new(database.connect())
}

/// Writes rows with these ordering keys in one statement, numbered in their payload.
async fn write(database: &LedgerDatabase, keys: &[Option<&str>]) {
    for (number, key) in keys.iter().enumerate() {
        let key = key.map_or_else(|| "null".to_owned(), |key| format!("'{key}'"));
        let call = format!(
            "select public.signtusk_enqueue_job('email', '{{\"number\": {number}}}', {key})"
        );
        database.execute(&call).await;
    }
}

fn number(row: &Row) -> usize {
    let payload: serde_json::Value = serde_json::from_str(&row.payload).unwrap();
    payload["number"].as_u64().unwrap().try_into().unwrap()
}

fn numbers(claimed: &Claimed) -> Vec<usize> {
    claimed.rows.iter().map(number).collect()
}

async fn settle_all(outbox: &Outbox, claimed: &Claimed, outcome: &Outcome) {
    let outcomes = vec![outcome.clone(); claimed.rows.len()];
    outbox.settle(claimed, &outcomes).await.unwrap();
}

#[tokio::test]
async fn web_app_and_functions_can_enqueue_and_visitors_cannot() {
    let database = LedgerDatabase::fresh().await;
    let call = "select public.signtusk_enqueue_job('email', '{}')";
    for role in ["anon", "authenticated"] {
        for statement in [call, "select count(*) from signtusk.outbox"] {
            let script = format!("set local role {role}; {statement}");
            let error = database.owner.batch(&script).await.unwrap_err();
            assert!(
                matches!(&error, postgres::Error::Rejected { code, .. } if code == "42501"),
                "{role}: {statement}: {error:?}"
            );
        }
    }
    database
        .execute(&format!("set local role service_role; {call}"))
        .await;
    database.functions.batch(call).await.unwrap();
    let rows = database
        .read("select to_jsonb(count(*)) as value from signtusk.outbox")
        .await;
    assert_eq!(rows, json!(2));
}

#[tokio::test]
async fn invalid_job_is_refused_when_written() {
    let database = LedgerDatabase::fresh().await;
    for arguments in [
        "'Email', '{}'",
        "null, '{}'",
        "'email', '[]'",
        "'email', null",
        "'email', '{}', priority => 'urgent'",
        "'email', '{}', tenant => ''",
        "'email', '{}', ordering_key => ''",
        "'email', jsonb_build_object('a', repeat('x', 262144))",
    ] {
        let call = format!("select public.signtusk_enqueue_job({arguments})");
        let error = database.functions.batch(&call).await.unwrap_err();
        assert!(
            matches!(&error, postgres::Error::Constraint { code, .. } if code.starts_with("23")),
            "{arguments}: {error:?}"
        );
    }
}

#[tokio::test]
async fn job_of_a_rolled_back_transaction_does_not_exist() {
    let database = LedgerDatabase::fresh().await;
    let entry = Entry::new(JobType::Email, "acme.example");
    let dropped = database.functions.transaction().await.unwrap();
    Outbox::write(&dropped, &entry, &json!({ "number": 0 }))
        .await
        .unwrap();
    drop(dropped);
    let failed = database.functions.transaction().await.unwrap();
    Outbox::write(&failed, &entry, &json!({ "number": 1 }))
        .await
        .unwrap();
    failed.query("select nothing", &[]).await.unwrap_err();
    let refused = failed.commit().await.unwrap_err();
    assert!(
        matches!(&refused, postgres::Error::Rejected { code, .. } if code == "25P02"),
        "{refused:?}"
    );
    let kept = database.functions.transaction().await.unwrap();
    let id = Outbox::write(&kept, &entry, &json!({ "number": 2 }))
        .await
        .unwrap();
    kept.commit().await.unwrap();

    let claimed = outbox(&database).claim(JOBS, 10).await.unwrap();
    assert_eq!(numbers(&claimed), [2]);
    let row = &claimed.rows[0];
    assert_eq!(
        (&row.id, row.columns.tenant.as_str()),
        (&id, "acme.example")
    );
}

#[tokio::test]
async fn claimed_row_is_exclusive_until_settled_or_expired() {
    let database = LedgerDatabase::fresh().await;
    write(&database, &[None, None, None]).await;
    let (ours, theirs) = (outbox(&database), outbox(&database));
    let first = ours.claim(JOBS, 2).await.unwrap();
    assert_eq!(numbers(&first), [0, 1]);
    let second = theirs.claim(JOBS, 10).await.unwrap();
    assert_eq!(numbers(&second), [2]);
    let of_the_first = [Outcome::Done, Outcome::SetAside("bad".into())];
    ours.settle(&first, &of_the_first).await.unwrap();
    assert_eq!(numbers(&ours.claim(JOBS, 10).await.unwrap()), [0; 0]);

    // The second relay's claim expires. Its later result for a row of another claim does not count, unless the row is
    // done.
    database
        .execute("update signtusk.outbox set held_until = now()")
        .await;
    let third = ours.claim(JOBS, 10).await.unwrap();
    assert_eq!(numbers(&third), [2]);
    settle_all(&theirs, &second, &Outcome::SetAside("late".into())).await;
    settle_all(&theirs, &second, &Outcome::Done).await;
    settle_all(&ours, &third, &Outcome::SetAside("later".into())).await;
    let ends = "select jsonb_agg(jsonb_build_array(published_at is not null, reason, payload = '{}') order by seq) \
                as value from signtusk.outbox";
    let ends = database.read(ends).await;
    assert_eq!(
        ends,
        json!([
            [true, null, true],
            [false, "bad", false],
            [true, null, true]
        ])
    );
}

#[tokio::test]
async fn waiting_row_blocks_only_rows_of_its_own_key() {
    let database = LedgerDatabase::fresh().await;
    let outbox = outbox(&database);
    write(&database, &[Some("a"), Some("a"), Some("b"), None]).await;
    let first = outbox.claim(JOBS, 1).await.unwrap();
    assert_eq!(numbers(&first), [0]);
    let later = Outcome::Retry {
        after: Duration::from_mins(1),
        reason: "not now".into(),
    };
    settle_all(&outbox, &first, &later).await;
    let others = outbox.claim(JOBS, 10).await.unwrap();
    assert_eq!(numbers(&others), [2, 3], "1 waits for 0");
    settle_all(&outbox, &others, &Outcome::Done).await;

    database
        .execute("update signtusk.outbox set held_until = now()")
        .await;
    let again = outbox.claim(JOBS, 1).await.unwrap();
    assert_eq!(numbers(&again), [0]);
    settle_all(&outbox, &again, &Outcome::SetAside("poison".into())).await;
    assert_eq!(
        numbers(&outbox.claim(JOBS, 10).await.unwrap()),
        [1],
        "a poison row blocks no other row"
    );
    let backlog = outbox.backlog().await.unwrap();
    assert_eq!(backlog.set_aside, 1);
}

#[tokio::test]
async fn job_due_next_month_waits_in_the_outbox_and_its_age_does_not_count() {
    let database = LedgerDatabase::fresh().await;
    let outbox = outbox(&database);
    let late = "select public.signtusk_enqueue_job('email', '{\"number\": 0}', not_before => now() + interval '30 days')";
    database.execute(late).await;
    assert_eq!(numbers(&outbox.claim(JOBS, 10).await.unwrap()), [0; 0]);
    assert_eq!(outbox.backlog().await.unwrap().oldest_seconds, 0);
    write(&database, &[None]).await;
    database
        .execute("update signtusk.outbox set due_at = due_at - interval '90 seconds'")
        .await;
    let age = outbox.backlog().await.unwrap().oldest_seconds;
    assert!((90..180).contains(&age), "{age}");
}

#[tokio::test]
async fn row_whose_relays_all_died_is_finally_set_aside() {
    let database = LedgerDatabase::fresh().await;
    let outbox = outbox(&database);
    write(&database, &[None]).await;
    for attempt in 1..=10 {
        let claimed = outbox.claim(JOBS, 10).await.unwrap();
        assert_eq!(numbers(&claimed), [0], "attempt {attempt}");
        // An outage is not the row's fault.
        let free = outbox.claim(JOBS, 10).await.unwrap();
        assert_eq!(numbers(&free), [0; 0]);
        database
            .execute("update signtusk.outbox set held_until = now()")
            .await;
    }
    assert_eq!(numbers(&outbox.claim(JOBS, 10).await.unwrap()), [0; 0]);
    assert_eq!(outbox.backlog().await.unwrap().set_aside, 1);
}

/// The next step of one relay in a random history.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Claims this many.
    Claim(u32),
    /// Settles its oldest claim: all done, or the row with this number fails and waits.
    Settle(Option<usize>),
    /// Is killed: its claims expire.
    Die,
}

fn history(seed: u64) -> (Vec<Option<u8>>, Vec<(usize, Step)>) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let step = prop_oneof![
        4 => (1..6_u32).prop_map(Step::Claim),
        3 => prop::option::weighted(0.3, 0..12_usize).prop_map(Step::Settle),
        1 => Just(Step::Die),
    ];
    let keys = prop::collection::vec(prop::option::weighted(0.8, 0..3_u8), 1..12);
    let steps = prop::collection::vec((0..2_usize, step), 1..24);
    (keys, steps).new_tree(&mut runner).unwrap().current()
}

#[tokio::test]
async fn rows_of_one_key_are_never_reordered_by_two_relays() {
    let database = LedgerDatabase::fresh().await;
    let relays = [outbox(&database), outbox(&database)];
    for seed in 0..seeds(20) {
        database.execute("truncate signtusk.outbox").await;
        let (keys, steps) = history(seed);
        let names: Vec<Option<String>> = keys
            .iter()
            .map(|key| key.map(|key| format!("k{key}")))
            .collect();
        let keys: Vec<Option<&str>> = names.iter().map(Option::as_deref).collect();
        write(&database, &keys).await;
        let mut held: [Vec<Claimed>; 2] = Default::default();
        let mut went = Vec::new();
        for (who, step) in &steps {
            match step {
                Step::Claim(limit) => {
                    held[*who].push(relays[*who].claim(JOBS, *limit).await.unwrap());
                }
                Step::Die => {
                    held[*who].clear();
                    database
                        .execute("update signtusk.outbox set held_until = now()")
                        .await;
                    held = Default::default();
                }
                Step::Settle(failing) if !held[*who].is_empty() => {
                    let claimed = held[*who].remove(0);
                    went.extend(settle(&relays[*who], &claimed, *failing).await);
                }
                Step::Settle(_) => {}
            }
        }
        drop(held);
        database
            .execute("update signtusk.outbox set held_until = now()")
            .await;
        loop {
            let rest = relays[0].claim(JOBS, 3).await.unwrap();
            if rest.rows.is_empty() {
                break;
            }
            went.extend(settle(&relays[0], &rest, None).await);
        }
        let mut of_each = BTreeMap::<&str, Vec<usize>>::new();
        for number in &went {
            if let Some(key) = keys[*number] {
                of_each.entry(key).or_default().push(*number);
            }
        }
        for (key, order) in of_each {
            assert!(order.is_sorted(), "seed {seed}: {key} went as {order:?}");
        }
        went.sort_unstable();
        assert_eq!(went, (0..keys.len()).collect::<Vec<_>>(), "seed {seed}");
    }
}

/// Settles a claim as a relay does: rows behind a failure in its order fail too. Returns the published rows.
async fn settle(outbox: &Outbox, claimed: &Claimed, failing: Option<usize>) -> Vec<usize> {
    let failed = claimed.rows.iter().find(|row| Some(number(row)) == failing);
    let outcomes: Vec<Outcome> = claimed
        .rows
        .iter()
        .map(|row| {
            let behind = failed.is_some_and(|failed| {
                number(row) == number(failed)
                    || row.ordering_key.is_some()
                        && row.ordering_key == failed.ordering_key
                        && number(row) > number(failed)
            });
            if behind {
                Outcome::Release(Duration::from_mins(1))
            } else {
                Outcome::Done
            }
        })
        .collect();
    outbox.settle(claimed, &outcomes).await.unwrap();
    let done = claimed.rows.iter().zip(outcomes);
    done.filter(|(_, outcome)| *outcome == Outcome::Done)
        .map(|(row, _)| number(row))
        .collect()
}
