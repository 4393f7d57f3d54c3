//! Metrics as log lines in CloudWatch's embedded metric format: one line for each invocation, and the figures that
//! alarms use.
//!
//! Source: the Embedded Metric Format specification of Amazon CloudWatch. The function and the outcome are the only
//! dimensions: each combination is billed as its own metric.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::base::env;
use crate::protocol::upstash::Spent;

const NAMESPACE: &str = "SignTusk/Functions";

/// A figure for alarms and graphs. Its only dimension is the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// The time since the oldest open job was due, in seconds.
    OldestPendingSeconds(u64),
    /// Dead jobs.
    DeadJobs(u64),
    /// How long the oldest waiting row of the outbox has been due, in seconds.
    OldestOutboxSeconds(u64),
    /// Rows of the outbox that were set aside, because they can never be executed or fail repeatedly.
    OutboxSetAside(u64),
    /// Requests whose limiter could not count.
    LimiterOutages(u64),
    /// Publishes that QStash rejected because of a used-up quota.
    QueueQuotaSpent(u64),
}

impl Figure {
    /// Returns the metric's name, unit and value.
    fn parts(self) -> (&'static str, &'static str, u64) {
        match self {
            Self::OldestPendingSeconds(value) => ("OldestPendingSeconds", "Seconds", value),
            Self::DeadJobs(value) => ("DeadJobs", "Count", value),
            Self::OldestOutboxSeconds(value) => ("OldestOutboxSeconds", "Seconds", value),
            Self::OutboxSetAside(value) => ("OutboxSetAside", "Count", value),
            Self::LimiterOutages(value) => ("LimiterOutages", "Count", value),
            Self::QueueQuotaSpent(value) => ("QueueQuotaSpent", "Count", value),
        }
    }

    /// Returns the log line.
    fn line(self, function: &str, at: Timestamp) -> String {
        let (name, unit, value) = self.parts();
        json!({
            "_aws": {
                "Timestamp": at.as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [["function"]],
                    "Metrics": [{ "Name": name, "Unit": unit }],
                }],
            },
            "function": function,
            name: value,
        })
        .to_string()
    }

    /// Writes this figure for `function`.
    pub fn emit(self, function: &str, at: Timestamp) {
        write(&self.line(&deployed(function), at));
    }
}

/// The cost and the outcome of an invocation. Ids are properties, not dimensions: they help to find the line and are
/// not billed.
pub(super) struct Invocation<'a> {
    pub(super) function: &'a str,
    pub(super) request_id: &'a str,
    /// The delivered job, if there is one.
    pub(super) job_id: Option<&'a str>,
    pub(super) outcome: &'a str,
    pub(super) duration: Duration,
    pub(super) redis: Spent,
}

impl Invocation<'_> {
    /// Returns the log line.
    fn line(&self, function: &str, at: Timestamp) -> String {
        let mut line = json!({
            "_aws": {
                "Timestamp": at.as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [["function", "outcome"]],
                    "Metrics": [
                        { "Name": "Duration", "Unit": "Milliseconds" },
                        { "Name": "RedisRequests", "Unit": "Count" },
                        { "Name": "RedisCommands", "Unit": "Count" },
                    ],
                }],
            },
            "function": function,
            "outcome": self.outcome,
            "requestId": self.request_id,
            "Duration": self.duration.as_secs_f64() * 1000.0,
            "RedisRequests": self.redis.requests,
            "RedisCommands": self.redis.commands,
        });
        if let Some(job_id) = self.job_id {
            line["jobId"] = json!(job_id);
        }
        line.to_string()
    }

    /// Writes the line.
    pub(super) fn emit(&self, at: Timestamp) {
        write(&self.line(&deployed(self.function), at));
    }
}

/// Returns the deployed name of the function. It starts with the stack's name, so that metrics of two stacks in one
/// account are not added up.
fn deployed(function: &str) -> String {
    env::optional("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| function.to_owned())
}

/// Writes a line to standard output, beside the logs, where CloudWatch reads it.
fn write(line: &str) {
    use std::io::Write as _;
    // A failed write to the log does not stop the function.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{Duration, Figure, Invocation, Spent, Timestamp};

    /// Asserts that the line contains every metric and dimension that it declares.
    fn assert_complete(line: &Value) {
        let declared = &line["_aws"]["CloudWatchMetrics"][0];
        for metric in declared["Metrics"].as_array().unwrap() {
            assert!(line[metric["Name"].as_str().unwrap()].is_number());
        }
        for dimension in declared["Dimensions"][0].as_array().unwrap() {
            assert!(line[dimension.as_str().unwrap()].is_string());
        }
    }

    #[test]
    fn invocation_line_holds_every_declared_metric_and_dimension() {
        let line = Invocation {
            function: "send-email",
            request_id: "request-1",
            job_id: Some("job-1"),
            outcome: "done",
            duration: Duration::from_millis(3),
            redis: Spent {
                requests: 2,
                commands: 2,
            },
        }
        .line("stack-send-email", Timestamp::UNIX_EPOCH);
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_complete(&line);
        assert_eq!(line["function"], "stack-send-email");
        assert_eq!(
            (&line["requestId"], &line["jobId"]),
            (&"request-1".into(), &"job-1".into())
        );
    }

    #[test]
    fn figure_has_the_function_as_its_only_dimension() {
        for figure in [
            Figure::OldestPendingSeconds(7),
            Figure::DeadJobs(7),
            Figure::OldestOutboxSeconds(7),
            Figure::OutboxSetAside(7),
            Figure::LimiterOutages(7),
            Figure::QueueQuotaSpent(7),
        ] {
            let line = figure.line("stack-health", Timestamp::UNIX_EPOCH);
            let line: Value = serde_json::from_str(&line).unwrap();
            assert_complete(&line);
            let declared = &line["_aws"]["CloudWatchMetrics"][0];
            assert_eq!(declared["Dimensions"], serde_json::json!([["function"]]));
            assert_eq!(line[figure.parts().0], 7);
        }
    }
}
