//! The report: its shape is what the web app's status page reads.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use shared::service::job::Stats;

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// It answers and does what it should.
    Healthy,
    /// It does less than it should; the rest goes on.
    Degraded,
    /// It does not answer.
    Unhealthy,
}

/// The whole report.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Unhealthy without Redis; degraded while something else is not healthy.
    pub status: Health,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Timestamp,
    /// The version that answers.
    pub version: &'static str,
    /// How long it took, in milliseconds.
    pub response_time: u64,
    /// Part by part.
    pub services: Services,
}

/// The parts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Services {
    /// The store.
    pub redis: Reached,
    /// Writing, reading and deleting.
    pub cache: Cache,
    /// Background jobs.
    pub job_queue: JobQueue,
    /// The counters of the day.
    pub analytics: Analytics,
    /// Postgres.
    pub database: Database,
    /// The queue.
    pub qstash: Reached,
}

/// Something that was called, and how long it took.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Reached {
    /// How well it is.
    pub status: Health,
    /// Milliseconds; absent if it did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<u64>,
}

/// The store's basic operations, each tried on a key of this very request.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Cache {
    /// How well it is.
    pub status: Health,
    /// Which of them work.
    pub operations: Operations,
}

/// Whether each works.
#[derive(Clone, Copy, Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Operations {
    /// A value was written.
    pub set: bool,
    /// It was read back.
    pub get: bool,
    /// It was deleted.
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
    /// The figures by type.
    #[schema(value_type = BTreeMap<String, Stats>)]
    pub stats: BTreeMap<&'static str, Stats>,
}

/// The counters of the day.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Analytics {
    /// How well they are.
    pub status: Health,
    /// Whether they can be read.
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
    /// Degraded when the oldest row of the outbox has waited for too long.
    pub status: Health,
    /// Milliseconds; absent if it did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<u64>,
    /// How long the oldest unpublished outbox row has waited, in seconds; 0 while nothing waits.
    pub oldest_outbox_seconds: u64,
}
