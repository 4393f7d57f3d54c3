//! The check that the schedule calls every five minutes. It reads only the figures of the alarms, because each command
//! is billed.
//!
//! No API event of the template has this route, so only the schedule reaches it. No limiter counts its calls.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use shared::edge::metrics::Figure;

use crate::AppState;
use crate::probe;
use crate::report::Health;

/// The path in the schedule's event.
pub const PATH: &str = "/api/health/watch";

/// Whether Redis answered.
#[derive(Debug, Serialize)]
pub struct Watched {
    status: Health,
}

/// Emits the figures. Answers 503 while Redis does not answer, which also means that no limit can be counted.
pub async fn watch(State(state): State<AppState>) -> (StatusCode, Json<Watched>) {
    let now = state.clock.now();
    let (oldest, (_, backlog)) = tokio::join!(
        probe::oldest_pending(&state.redis, now),
        probe::database(&state.outbox),
    );
    if let Some(backlog) = backlog {
        Figure::OldestOutboxSeconds(backlog.oldest_seconds).emit("health", now);
        Figure::OutboxSetAside(backlog.set_aside).emit("health", now);
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
