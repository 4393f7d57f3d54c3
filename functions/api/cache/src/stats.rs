//! `GET /api/cache/stats`: how often each kind was answered from the cache.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use shared::edge::documented::GuardProblems;
use shared::edge::input::Query;
use shared::edge::{Caller, Result};
use shared::service::cache::{Caches, KindFigures};

/// Which day.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// The day (UTC); today if absent. Figures are kept for 30 days.
    #[param(value_type = Option<String>, format = Date, example = "2026-11-25")]
    date: Option<Date>,
}

/// How the caches did on a day.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CacheStats {
    /// The day (UTC).
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// By kind.
    kinds: BTreeMap<&'static str, KindFigures>,
}

/// Hits, misses and stale answers of each kind on a day.
///
/// For the service and for administrators. Reads while Redis was down are not counted.
#[utoipa::path(
    get,
    operation_id = "getCacheStats",
    path = "/api/cache/stats",
    tag = "cache",
    params(Wanted, Caller),
    responses(
        (status = 200, description = "By kind", body = CacheStats),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn show(
    State(caches): State<Caches>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<CacheStats>> {
    caller.must_be_admin()?;
    let figures = caches.figures(wanted.date).await?;
    Ok(Json(CacheStats {
        date: figures.date,
        kinds: figures.kinds.into_iter().collect(),
    }))
}
