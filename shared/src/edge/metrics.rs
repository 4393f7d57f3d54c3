//! One metrics line for each invocation, in CloudWatch's embedded metric format.
//!
//! Source: the Embedded Metric Format specification of Amazon CloudWatch. Dimensions are the function and the outcome
//! and nothing else: each combination is billed as a metric of its own.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::protocol::upstash::Spent;

const NAMESPACE: &str = "SignTusk/Functions";

/// What an invocation cost and came to. The ids are properties and not dimensions: they find the line, and cost nothing.
pub(super) struct Invocation<'a> {
    pub(super) function: &'a str,
    pub(super) request_id: &'a str,
    /// The job, where one was delivered.
    pub(super) job_id: Option<&'a str>,
    pub(super) outcome: &'a str,
    pub(super) duration: Duration,
    pub(super) redis: Spent,
}

impl Invocation<'_> {
    /// The line.
    fn line(&self, at: Timestamp) -> String {
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
            "function": self.function,
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

    /// Writes the line where CloudWatch looks for it: on standard output, beside the logs.
    pub(super) fn emit(&self, at: Timestamp) {
        use std::io::Write as _;
        // A function whose log is gone goes on working.
        let _ = writeln!(std::io::stdout().lock(), "{}", self.line(at));
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Invocation, Spent, Timestamp};

    #[test]
    fn every_metric_and_dimension_that_is_declared_is_there() {
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
        .line(Timestamp::UNIX_EPOCH);
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        let declared = &line["_aws"]["CloudWatchMetrics"][0];
        for metric in declared["Metrics"].as_array().unwrap() {
            assert!(line[metric["Name"].as_str().unwrap()].is_number());
        }
        for dimension in declared["Dimensions"][0].as_array().unwrap() {
            assert!(line[dimension.as_str().unwrap()].is_string());
        }
        assert_eq!(
            (&line["requestId"], &line["jobId"]),
            (&"request-1".into(), &"job-1".into())
        );
    }
}
