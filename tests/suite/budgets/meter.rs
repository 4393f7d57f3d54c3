//! Measures an operation's cost where it is billed: at the REST front, at redis-server, at QStash.

use std::collections::{BTreeMap, BTreeSet};

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use redis::aio::MultiplexedConnection;
use serde_json::Value;
use tests::budget::{BUDGETS, Cost};
use tests::commands::billed;

use crate::support::TestCloud;

/// The number of measurements of an operation. The lowest counts, because a job that takes more than a second also
/// writes its progress, and a new instance opens its connection.
const ROUNDS: usize = 3;

/// A cloud's meter.
pub(super) struct Meter<'a> {
    cloud: &'a TestCloud,
    redis: MultiplexedConnection,
    measured: BTreeMap<&'static str, Cost>,
}

impl<'a> Meter<'a> {
    pub(super) async fn start(cloud: &'a TestCloud) -> Self {
        Self {
            cloud,
            redis: cloud.redis_connection().await,
            measured: BTreeMap::new(),
        }
    }

    /// Measures an operation without `prepare`. The first round only loads the scripts.
    pub(super) async fn check<T>(
        &mut self,
        operation: &'static str,
        mut prepare: impl AsyncFnMut() -> T,
        act: impl AsyncFn(T),
    ) {
        act(prepare().await).await;
        let mut least: Option<Cost> = None;
        for _ in 0..ROUNDS {
            let prepared = prepare().await;
            let before = self.read().await;
            act(prepared).await;
            let cost = between(before, self.read().await);
            let cheaper = least.is_none_or(|least| cost.redis_commands < least.redis_commands);
            least = if cheaper { Some(cost) } else { least };
        }
        self.measured.extend(least.map(|cost| (operation, cost)));
    }

    /// Compares all measurements with the budgets.
    pub(super) fn finish(self) {
        let budgets: BTreeMap<&str, Cost> = BUDGETS
            .iter()
            .map(|budget| (budget.operation, budget.cost))
            .collect();
        let operations: BTreeSet<&str> = budgets
            .keys()
            .chain(self.measured.keys())
            .copied()
            .collect();
        let wrong: Vec<String> = operations
            .into_iter()
            .filter(|operation| budgets.get(operation) != self.measured.get(operation))
            .map(|operation| {
                let (budget, measured) = (budgets.get(operation), self.measured.get(operation));
                format!("{operation}:\n  budget   {budget:?}\n  measured {measured:?}")
            })
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    async fn read(&mut self) -> Cost {
        let info: String = redis::cmd("INFO")
            .arg("commandstats")
            .query_async(&mut self.redis)
            .await
            .unwrap();
        Cost {
            redis_requests: self.cloud.redis().requests(),
            redis_commands: billed(&info),
            qstash_requests: self.cloud.qstash().requests(),
        }
    }
}

fn between(before: Cost, after: Cost) -> Cost {
    Cost {
        redis_requests: after.redis_requests - before.redis_requests,
        redis_commands: after.redis_commands - before.redis_commands,
        qstash_requests: after.qstash_requests - before.qstash_requests,
    }
}

/// Returns a body in the form of QStash's callbacks.
pub(super) fn base64(body: &Value) -> String {
    STANDARD.encode(body.to_string())
}
