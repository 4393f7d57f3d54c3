//! `GET /api/security/rate-limits`: the allowed and rejected requests of a day.

use axum::Json;
use axum::extract::State;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use shared::edge::documented::GuardProblems;
use shared::edge::input::Query;
use shared::edge::{Caller, Result};
use shared::service::rate_limit::{Hour, Limit, OnOutage, Refused};

use crate::AppState;

/// The day of the report.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// The day (UTC); default today. Days are kept for a week.
    #[param(value_type = Option<String>, format = Date)]
    date: Option<Date>,
}

/// Rate limit statistics of a day.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RateLimitReport {
    /// The day (UTC).
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// The limiters.
    items: Vec<LimiterReport>,
    /// The identifiers that were rejected most, at most twenty. They can be personal data, so only administrators see
    /// them.
    most_refused: Vec<Refused>,
}

/// The statistics of a limiter.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LimiterReport {
    /// The name of the limiter.
    limiter: &'static str,
    /// The limit per window.
    limit: u64,
    /// The length of the window, in seconds.
    window_seconds: u64,
    /// Whether the limiter allows requests that it cannot count.
    fails_open: bool,
    /// Requests allowed on the day.
    allowed: u64,
    /// Requests rejected on the day.
    refused: u64,
    /// The hours in which the limiter was used.
    hours: Vec<Hour>,
}

/// Get rate limit statistics
///
/// Returns the requests that each limiter allowed and rejected on a day.
#[utoipa::path(
    get,
    operation_id = "getRateLimits",
    path = "/api/security/rate-limits",
    tag = "security",
    params(ReportQuery),
    responses(
        (status = 200, description = "The statistics of the day", body = RateLimitReport),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn show(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<ReportQuery>,
) -> Result<Json<RateLimitReport>> {
    caller.must_be_admin()?;
    let today = state.clock.now().to_zoned_datetime(TimeZone::UTC).date();
    let date = query.date.unwrap_or(today);
    let day = state.limits.day(date).await?;
    let items = state
        .all
        .iter()
        .map(|limit| item(limit, day.hours_of(limit.limiter())));
    Ok(Json(RateLimitReport {
        date,
        items: items.collect(),
        most_refused: day.most_refused,
    }))
}

fn item(limit: &Limit, hours: Vec<Hour>) -> LimiterReport {
    let limiter = limit.limiter();
    LimiterReport {
        limiter: limiter.name,
        limit: limit.rate().count,
        window_seconds: limit.rate().window.as_secs(),
        fails_open: limiter.on_outage == OnOutage::Open,
        allowed: hours.iter().map(|hour| hour.allowed).sum(),
        refused: hours.iter().map(|hour| hour.refused).sum(),
        hours,
    }
}
