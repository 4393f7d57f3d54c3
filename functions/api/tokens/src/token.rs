//! `POST /api/tokens` and `/api/tokens/redeem`: a token that is good once.

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

/// What a token is wanted for.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = IssueToken)]
pub struct Wanted {
    /// What it is to be good for.
    purpose: Purpose,
    /// Whose holder it is to prove.
    email: EmailAddress,
}

/// A token.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IssuedToken {
    /// 256 random bits. They are not kept: this is the only time that they are shown.
    token: String,
    /// Until when it is good: for a day.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// A token that came back.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = RedeemToken)]
pub struct Returned {
    /// What it was issued for.
    purpose: Purpose,
    /// The token.
    #[schema(min_length = 1)]
    token: String,
}

/// What it proves.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RedeemedToken {
    /// The address that it was issued for.
    #[schema(format = Email)]
    email: String,
}

/// Issue a one-time token.
///
/// The one that this address had for the same purpose is cancelled.
#[utoipa::path(
    post,
    operation_id = "issueToken",
    path = "/api/tokens",
    tag = "tokens",
    request_body = Wanted,
    responses(
        (status = 201, description = "The token", body = IssuedToken),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn issue(
    State(tokens): State<Tokens>,
    wanted: input::Json<Wanted>,
) -> Result<(StatusCode, Json<IssuedToken>)> {
    let Wanted { purpose, email } = &wanted.value;
    let issued = tokens.issue(*purpose, email).await?;
    let body = IssuedToken {
        token: issued.token.expose().to_owned(),
        expires_at: issued.expires_at,
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Redeem a one-time token: once.
#[utoipa::path(
    post,
    operation_id = "redeemToken",
    path = "/api/tokens/redeem",
    tag = "tokens",
    request_body = Returned,
    responses(
        (status = 200, description = "It was good, and is no more", body = RedeemedToken),
        (
            status = 404,
            description = "Unknown, used, cancelled, over, or for another purpose",
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
    returned: input::Json<Returned>,
) -> Result<Json<RedeemedToken>> {
    let Returned { purpose, token } = &returned.value;
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
