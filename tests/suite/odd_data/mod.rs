//! Unexpected data in the database: they affect only themselves.

mod instants;
mod jsonb;
mod spelling;

use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::support::ledger::LedgerDatabase;

/// Returns values of a strategy, the same in each run.
fn samples<S: Strategy>(strategy: &S, count: usize) -> Vec<S::Value> {
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let sample = |_| strategy.new_tree(&mut runner).unwrap().current();
    (0..count).map(sample).collect()
}

/// Returns whether the functions' role may run a statement.
async fn is_taken(database: &LedgerDatabase, sql: &str) -> bool {
    database.owner.batch(sql).await.is_ok()
}

/// Returns text as an SQL literal.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
