//! `POST /api/security/rate-limits/{limiter}`: checks a rate limit for an identifier.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::base::causes::causes;
use shared::base::integer;
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input::{self, Path};
use shared::edge::problem::ProblemDocument;
use shared::edge::{Problem, Result};
use shared::protocol::upstash;
use shared::service::rate_limit::{ALL, Claim, Limit, OnOutage, Reason};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::AppState;

/// The maximum cost of one request.
const MAX_COST: i64 = 1_000_000;

/// The longest identifier, in characters.
const MAX_IDENTIFIER_LEN: usize = 512;

/// The identifier to count, and the cost.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = RateLimitCheck)]
pub struct CheckRequest {
    /// The identifier, used in the key as given. docs/KEYS.md lists the identifiers of each limiter.
    #[schema(min_length = 1, max_length = 512)]
    identifier: String,
    /// The cost of the request: default 1. With 0, only the remaining requests are read.
    #[serde(default = "default_cost", deserialize_with = "integer::signed")]
    #[schema(minimum = 0, maximum = 1_000_000, default = 1)]
    cost: i64,
}

/// Documents the names of limiters.
#[derive(Debug)]
pub struct LimiterName;

impl PartialSchema for LimiterName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(ALL.iter().map(|limiter| limiter.name)))
            .into()
    }
}

impl ToSchema for LimiterName {}

fn default_cost() -> i64 {
    1
}

/// The result of a check.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Checked)]
pub struct CheckResult {
    /// Whether the request is allowed.
    success: bool,
    /// The capacity of the window or the bucket.
    limit: u64,
    /// The remaining requests.
    remaining: u64,
    /// When the window ends or the bucket is refilled, in milliseconds since 1970.
    reset: i64,
    /// Seconds to wait before the same request may succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    /// The reason of a rejection or of an uncounted success: `limited` or `store-unavailable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// Check a rate limit
///
/// Always answers 200; while Redis is unavailable, `success` follows the outage policy of the limiter. Counts are
/// shared with @upstash/ratelimit 2.2 for equal prefix, rate and identifier.
#[utoipa::path(
    post,
    operation_id = "checkRateLimit",
    path = "/api/security/rate-limits/{limiter}",
    tag = "security",
    params(("limiter" = LimiterName, Path, description = "The name of a limiter, such as `totp`")),
    request_body = CheckRequest,
    responses(
        (status = 200, description = "Whether the request is allowed", body = CheckResult),
        (
            status = 404,
            description = "Unknown limiter",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn check(
    State(state): State<AppState>,
    Path(name): Path<String>,
    request: input::Json<CheckRequest>,
) -> Result<Json<CheckResult>> {
    let limit = state.named(&name).ok_or_else(unknown)?;
    let CheckRequest { identifier, cost } = request.value;
    if !(1..=MAX_IDENTIFIER_LEN).contains(&identifier.chars().count()) {
        return Err(input::invalid(
            "/identifier",
            "must be 1 to 512 characters long",
        ));
    }
    if !(0..=MAX_COST).contains(&cost) {
        return Err(input::invalid("/cost", "must be 0 to 1000000"));
    }
    let count = count(&state, limit, identifier, cost).await;
    Ok(Json(count.unwrap_or_else(|error| {
        tracing::error!(
            limiter = name,
            error = causes(&error),
            "limiter unavailable; answered by its outage policy"
        );
        on_outage(limit, state.clock.now().as_millisecond())
    })))
}

async fn count(
    state: &AppState,
    limit: Limit,
    identifier: String,
    cost: i64,
) -> std::result::Result<CheckResult, upstash::Error> {
    if cost == 0 {
        let left = state.limits.remaining(&limit, &identifier).await?;
        return Ok(CheckResult {
            success: left.remaining > 0,
            limit: limit.rate().count,
            remaining: left.remaining,
            reset: left.reset.as_millisecond(),
            retry_after: None,
            reason: None,
        });
    }
    let claim = Claim {
        limit,
        identifier,
        cost,
    };
    let verdict = state.limits.limit(claim).await?;
    let refused = verdict.refusal.is_some();
    let seconds = verdict.wait.as_secs() + u64::from(verdict.wait.subsec_nanos() > 0);
    Ok(CheckResult {
        success: !refused,
        limit: verdict.limit,
        remaining: verdict.remaining,
        reset: verdict.reset.as_millisecond(),
        retry_after: refused.then_some(seconds),
        reason: verdict.refusal.map(|reason| match reason {
            Reason::Limited => "limited",
            Reason::Blocked => "blocked",
            Reason::LockedOut => "locked-out",
        }),
    })
}

/// Returns the result of a limiter that cannot count.
fn on_outage(limit: Limit, now: i64) -> CheckResult {
    let success = limit.limiter().on_outage == OnOutage::Open;
    CheckResult {
        success,
        limit: limit.rate().count,
        remaining: 0,
        reset: now,
        retry_after: (!success).then_some(5),
        reason: Some("store-unavailable"),
    }
}

fn unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "limiter_unknown", "Unknown limiter.")
}
