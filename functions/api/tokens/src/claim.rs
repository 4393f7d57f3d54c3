//! `POST /api/totp/claims`: claims a TOTP code once.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input;
use shared::edge::problem::ProblemDocument;
use shared::edge::{Caller, Problem, Result};
use shared::service::token::{Code, Tokens};
use uuid::Uuid;

/// A code that was just verified.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ClaimCode)]
pub struct ClaimRequest {
    /// The id of the user.
    user_id: Uuid,
    /// The code.
    code: Code,
}

/// A claimed code.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ClaimedCode {
    /// Always true.
    claimed: bool,
}

/// Claim a TOTP code
///
/// A claim only prevents replays. Verify the code as well, and accept it only if both succeed.
#[utoipa::path(
    post,
    operation_id = "claimTotpCode",
    path = "/api/totp/claims",
    tag = "tokens",
    params(Caller),
    request_body = ClaimRequest,
    responses(
        (status = 201, description = "The first use of the code", body = ClaimedCode),
        (
            status = 409,
            description = "The code was already used",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn claim(
    State(tokens): State<Tokens>,
    caller: Caller,
    request: input::Json<ClaimRequest>,
) -> Result<(StatusCode, Json<ClaimedCode>)> {
    let ClaimRequest { user_id, code } = &request.value;
    caller.must_be(*user_id)?;
    if tokens.claim(&user_id.to_string(), code).await? {
        return Ok((StatusCode::CREATED, Json(ClaimedCode { claimed: true })));
    }
    Err(Problem::new(
        StatusCode::CONFLICT,
        "code_used",
        "This code was already used. Wait for the next one.",
    ))
}
