//! What the schedule calls every five minutes: only the figures that alarms read, because each command is billed.
//!
//! The route stands in no event of the API, so only the schedule reaches it; no limiter counts its calls.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use shared::edge::metrics::Figure;

use crate::Stands;
use crate::probe;
use crate::report::Health;

/// The path that the schedule's event names.
pub const PATH: &str = "/api/health/watch";

/// Whether Redis answered.
#[derive(Debug, Serialize)]
pub struct Watched {
    status: Health,
}

/// Writes the figures. 503 while Redis does not answer, which also means that no limit can be counted.
pub async fn watch(State(stands): State<Stands>) -> (StatusCode, Json<Watched>) {
    let now = stands.clock.now();
    let (oldest, (_, standing)) = tokio::join!(
        probe::oldest_pending(&stands.redis, now),
        probe::database(&stands.outbox),
    );
    if let Some(standing) = standing {
        Figure::OldestOutboxSeconds(standing.oldest_seconds).emit("health", now);
        Figure::OutboxSetAside(standing.set_aside).emit("health", now);
    }
    let (code, status) = if let Some(oldest) = oldest {
        Figure::OldestPendingSeconds(oldest).emit("health", now);
        (StatusCode::OK, Health::Healthy)
    } else {
        Figure::LimiterOutages(1).emit("health", now);
        (StatusCode::SERVICE_UNAVAILABLE, Health::Unhealthy)
    };
    (code, Json(Watched { status }))
}
