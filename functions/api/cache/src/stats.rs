//! `GET /api/cache/stats`: hits, misses and stale reads per kind.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use shared::edge::documented::GuardProblems;
use shared::edge::input::Query;
use shared::edge::{Caller, Result};
use shared::service::cache::{Caches, KindFigures};

/// The day of the statistics.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StatsQuery {
    /// The day (UTC); default today. Statistics are kept for 30 days.
    #[param(value_type = Option<String>, format = Date, example = "2026-11-25")]
    date: Option<Date>,
}

/// Cache statistics of a day.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CacheStats {
    /// The day (UTC).
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// The statistics by kind.
    kinds: BTreeMap<&'static str, KindFigures>,
}

/// Get cache statistics
///
/// Returns hits, misses and stale reads per kind on a day, for the service and administrators. Reads while Redis was
/// unavailable are not counted.
#[utoipa::path(
    get,
    operation_id = "getCacheStats",
    path = "/api/cache/stats",
    tag = "cache",
    params(StatsQuery, Caller),
    responses(
        (status = 200, description = "The statistics by kind", body = CacheStats),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn show(
    State(caches): State<Caches>,
    caller: Caller,
    Query(query): Query<StatsQuery>,
) -> Result<Json<CacheStats>> {
    caller.must_be_admin()?;
    let figures = caches.figures(query.date).await?;
    Ok(Json(CacheStats {
        date: figures.date,
        kinds: figures.kinds.into_iter().collect(),
    }))
}
