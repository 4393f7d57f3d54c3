//! The health report, in the shape that the web app's status page reads.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use shared::service::job::Stats;

/// The health of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// The component works.
    Healthy,
    /// The component works only in part; the others are not affected.
    Degraded,
    /// The component does not answer.
    Unhealthy,
}

/// The health report.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Unhealthy without Redis; degraded while any other component is not healthy.
    pub status: Health,
    /// When the report was made.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Timestamp,
    /// The deployed version.
    pub version: &'static str,
    /// The duration of the check, in milliseconds.
    pub response_time: u64,
    /// The health of each component.
    pub services: Services,
}

/// The components.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Services {
    /// Redis.
    pub redis: DependencyStatus,
    /// Writing, reading and deleting in Redis.
    pub cache: Cache,
    /// Background jobs.
    pub job_queue: JobQueue,
    /// The counters of the current day.
    pub analytics: Analytics,
    /// Postgres.
    pub database: Database,
    /// QStash.
    pub qstash: DependencyStatus,
}

/// A dependency and its latency.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Reached)]
pub struct DependencyStatus {
    /// The health of the dependency.
    pub status: Health,
    /// The latency in milliseconds; absent if there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<u64>,
}

/// The basic operations of Redis, each tried on a key of this request.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Cache {
    /// The health of the operations.
    pub status: Health,
    /// The operations that work.
    pub operations: Operations,
}

/// Whether each operation works.
#[derive(Clone, Copy, Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Operations {
    /// Whether the value was written.
    pub set: bool,
    /// Whether the value was read back.
    pub get: bool,
    /// Whether the value was deleted.
    pub delete: bool,
}

/// Background jobs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobQueue {
    /// Degraded when the oldest open job has been due for too long.
    pub status: Health,
    /// How long the oldest open job has been due, in seconds.
    pub oldest_pending_seconds: u64,
    /// The statistics by job type.
    #[schema(value_type = BTreeMap<String, Stats>)]
    pub stats: BTreeMap<&'static str, Stats>,
}

/// The counters of the current day.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Analytics {
    /// The health of the counters.
    pub status: Health,
    /// Whether the counters can be read.
    pub has_analytics: bool,
    /// Whether performance figures are collected.
    pub has_performance_metrics: bool,
    /// Documents viewed today (UTC).
    pub today_views: u64,
    /// Signatures completed today (UTC).
    pub today_signatures: u64,
}

/// Postgres.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// Degraded when the oldest outbox row has waited for too long.
    pub status: Health,
    /// The latency in milliseconds; absent if there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<u64>,
    /// The age of the oldest unpublished outbox row, in seconds; 0 if there is none.
    pub oldest_outbox_seconds: u64,
}
