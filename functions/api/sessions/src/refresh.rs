//! `POST /api/sessions/{sessionId}/refresh`: replaces the current refresh token by a new one.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input::{self, Path};
use shared::edge::problem::ProblemDocument;
use shared::edge::{Caller, Problem, Result};
use shared::service::session::{RefreshToken, Refreshed, Sessions};

use crate::get::Id;
use crate::not_found;

/// The refresh tokens to exchange.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RefreshSession)]
pub struct RefreshRequest {
    /// The current refresh token.
    refresh_token: RefreshToken,
    /// The new refresh token. It must be unused.
    new_refresh_token: RefreshToken,
}

/// The result of an exchange.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = RefreshedSession)]
pub struct RefreshResult {
    /// Whether the new token is valid. If false, a concurrent request exchanged the token first: discard the new token.
    /// Keep the user's cookie, which then holds the token of that request.
    rotated: bool,
}

/// Refresh a session
///
/// The previous token is accepted for ten more seconds, so that concurrent tabs stay logged in. A later use means that
/// the token was copied, so the session is revoked. If a call gets no response, repeat it with the same two tokens.
#[utoipa::path(
    post,
    operation_id = "refreshSession",
    path = "/api/sessions/{sessionId}/refresh",
    tag = "sessions",
    params(Id, Caller),
    request_body = RefreshRequest,
    responses(
        (status = 200, description = "Exchanged, by this request or a concurrent one", body = RefreshResult),
        (
            status = 401,
            description = "refresh_token_reused: already exchanged, session revoked; refresh_token_invalid: not a token of this session; else the service token is missing or wrong",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        (
            status = 404,
            description = "Unknown session",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn refresh(
    State(sessions): State<Sessions>,
    caller: Caller,
    Path(id): Path<Id>,
    request: input::Json<RefreshRequest>,
) -> Result<Json<RefreshResult>> {
    let RefreshRequest {
        refresh_token,
        new_refresh_token,
    } = &request.value;
    let refreshed = sessions
        .refresh(
            &id.parse()?,
            caller.session_viewer(),
            refresh_token,
            new_refresh_token,
        )
        .await?;
    match refreshed {
        Refreshed::Rotated => Ok(Json(RefreshResult { rotated: true })),
        Refreshed::Kept => Ok(Json(RefreshResult { rotated: false })),
        Refreshed::Reused => Err(refused(
            "refresh_token_reused",
            "The refresh token was already used, so the session is revoked. The user must log in again.",
        )),
        Refreshed::Invalid => Err(refused(
            "refresh_token_invalid",
            "The refresh token does not belong to this session.",
        )),
        Refreshed::Stale => Err(input::invalid(
            "/newRefreshToken",
            "was already used in this session; generate a new one",
        )),
        Refreshed::Gone => Err(not_found()),
    }
}

fn refused(code: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, detail)
}
