//! The health check: three dependencies are checked concurrently, and the results form the report.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use shared::edge::documented::LimitProblems;
use shared::edge::metrics::Figure;
use shared::service::job::{JobType, Stats};
use shared::service::outbox::Backlog;
use tokio::time::Instant;

use crate::AppState;
use crate::probe::{self, Store, millis};
use crate::report::{
    Analytics, Cache, Database, DependencyStatus, Health, JobQueue, Operations, Report, Services,
};

/// The longest normal delay. An open job or an outbox row that is due for longer means that processing is stuck.
const OVERDUE_SECONDS: u64 = 900;

/// Check health
///
/// Answers 200 while Redis answers, otherwise 503. The cost is constant: one request to each dependency.
#[utoipa::path(
    get,
    operation_id = "getHealth",
    path = "/api/health/redis",
    tag = "health",
    responses(
        (status = 200, description = "Healthy or degraded", body = Report),
        (status = 503, description = "Redis is unavailable", body = Report),
        LimitProblems,
    )
)]
pub async fn show(State(state): State<AppState>) -> (StatusCode, Json<Report>) {
    let started = Instant::now();
    let now = state.clock.now();
    let (store, (database, backlog), qstash) = tokio::join!(
        probe::store(&state.redis, now),
        probe::database(&state.outbox),
        probe::queue(&state.qstash),
    );
    let known = store.is_some();
    let services = services(store, &database, backlog.unwrap_or_default(), qstash);
    if known {
        // Without Redis the value is unknown, and a zero would look healthy.
        let oldest = services.job_queue.oldest_pending_seconds;
        Figure::OldestPendingSeconds(oldest).emit("health", now);
    }
    if let Some(backlog) = backlog {
        Figure::OldestOutboxSeconds(backlog.oldest_seconds).emit("health", now);
        Figure::OutboxSetAside(backlog.set_aside).emit("health", now);
    }
    let status = services.overall();
    let code = match status {
        Health::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
        Health::Healthy | Health::Degraded => StatusCode::OK,
    };
    let report = Report {
        status,
        timestamp: now,
        version: env!("CARGO_PKG_VERSION"),
        response_time: millis(started),
        services,
    };
    (code, Json(report))
}

fn services(
    store: Option<Store>,
    database: &DependencyStatus,
    outbox: Backlog,
    qstash: DependencyStatus,
) -> Services {
    let answered = if store.is_some() {
        Health::Healthy
    } else {
        Health::Unhealthy
    };
    let latency = store.as_ref().map(|store| store.latency);
    let operations = store
        .as_ref()
        .map_or_else(Operations::default, |store| store.operations);
    let today = store.as_ref().map(|store| store.today).unwrap_or_default();
    let works = operations.set && operations.get && operations.delete;
    Services {
        redis: DependencyStatus {
            status: answered,
            latency,
        },
        cache: Cache {
            status: if works {
                Health::Healthy
            } else {
                Health::Unhealthy
            },
            operations,
        },
        analytics: Analytics {
            status: answered,
            has_analytics: store.is_some(),
            has_performance_metrics: store.is_some(),
            today_views: today.views,
            today_signatures: today.signatures,
        },
        job_queue: job_queue(store, answered),
        database: Database {
            status: if outbox.oldest_seconds > OVERDUE_SECONDS {
                database.status.max(Health::Degraded)
            } else {
                database.status
            },
            latency: database.latency,
            oldest_outbox_seconds: outbox.oldest_seconds,
        },
        qstash,
    }
}

fn job_queue(store: Option<Store>, answered: Health) -> JobQueue {
    // A reader of a type's statistics does not check first whether they exist.
    let stats = store.map_or_else(unknown_stats, |store| store.stats);
    let oldest = stats
        .iter()
        .map(|(_, stats)| stats.oldest_pending_seconds)
        .max();
    let oldest_pending_seconds = oldest.unwrap_or_default();
    JobQueue {
        status: if oldest_pending_seconds > OVERDUE_SECONDS {
            answered.max(Health::Degraded)
        } else {
            answered
        },
        oldest_pending_seconds,
        stats: stats
            .into_iter()
            .map(|(job, stats)| (job.name(), stats))
            .collect(),
    }
}

fn unknown_stats() -> Vec<(JobType, Stats)> {
    let types = JobType::ALL.iter();
    types.map(|job| (*job, Stats::default())).collect()
}

impl Services {
    /// Returns the overall health. Redis is required; the other components are not.
    fn overall(&self) -> Health {
        if self.redis.status == Health::Unhealthy {
            return Health::Unhealthy;
        }
        let worst = [
            self.cache.status,
            self.job_queue.status,
            self.analytics.status,
            self.database.status,
            self.qstash.status,
        ]
        .into_iter()
        .max();
        worst.unwrap_or(Health::Healthy).min(Health::Degraded)
    }
}
