//! `POST /api/tokens` and `/api/tokens/redeem`: issues and redeems a one-time token.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input;
use shared::edge::problem::ProblemDocument;
use shared::edge::{Problem, Result};
use shared::protocol::mail::EmailAddress;
use shared::service::token::{Purpose, Tokens};

/// The address and the purpose of a token.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = IssueToken)]
pub struct IssueRequest {
    /// The purpose of the token.
    purpose: Purpose,
    /// The address that the token proves.
    email: EmailAddress,
}

/// An issued token.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IssuedToken {
    /// 256 random bits. The token is not stored, so it is returned only once.
    token: String,
    /// When the token expires, one day after it was issued.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// A token to redeem.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = RedeemToken)]
pub struct RedeemRequest {
    /// The purpose that the token was issued for.
    purpose: Purpose,
    /// The token.
    #[schema(min_length = 1)]
    token: String,
}

/// The address that a token proves.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RedeemedToken {
    /// The address that the token was issued for.
    #[schema(format = Email)]
    email: String,
}

/// Issue a one-time token
///
/// An earlier token for the same address and purpose is cancelled.
#[utoipa::path(
    post,
    operation_id = "issueToken",
    path = "/api/tokens",
    tag = "tokens",
    request_body = IssueRequest,
    responses(
        (status = 201, description = "The token", body = IssuedToken),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn issue(
    State(tokens): State<Tokens>,
    request: input::Json<IssueRequest>,
) -> Result<(StatusCode, Json<IssuedToken>)> {
    let IssueRequest { purpose, email } = &request.value;
    let issued = tokens.issue(*purpose, email).await?;
    let body = IssuedToken {
        token: issued.token.expose().to_owned(),
        expires_at: issued.expires_at,
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Redeem a one-time token
///
/// A token can be redeemed once.
#[utoipa::path(
    post,
    operation_id = "redeemToken",
    path = "/api/tokens/redeem",
    tag = "tokens",
    request_body = RedeemRequest,
    responses(
        (status = 200, description = "The token was valid and is used now", body = RedeemedToken),
        (
            status = 404,
            description = "Unknown, used, cancelled or expired token, or another purpose",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn redeem(
    State(tokens): State<Tokens>,
    request: input::Json<RedeemRequest>,
) -> Result<Json<RedeemedToken>> {
    let RedeemRequest { purpose, token } = &request.value;
    let email = tokens.redeem(*purpose, token).await?;
    let email = email.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "token_not_found",
            "The token is invalid, expired or already used.",
        )
    })?;
    Ok(Json(RedeemedToken { email }))
}
