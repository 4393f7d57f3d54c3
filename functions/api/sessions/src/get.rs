//! `GET` and `DELETE /api/sessions/{sessionId}`: gets and revokes one session.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Deserialize;
use shared::edge::documented::GuardProblems;
use shared::edge::input::{Path, Query};
use shared::edge::problem::ProblemDocument;
use shared::edge::{Caller, Result};
use shared::service::session::{Revoked, Session, SessionId, Sessions};

use crate::not_found;

/// The session of a path.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
pub struct Id {
    /// The id of the session.
    #[param(inline, value_type = SessionId)]
    session_id: String,
}

/// Further parameters of a read.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub struct GetQuery {
    /// The maximum age of a second factor, in seconds; `totp.fresh` says whether it is within the limit.
    #[param(minimum = 0, maximum = 4_294_967_295_i64)]
    totp_max_age: Option<u32>,
}

impl Id {
    /// Returns the id if it is a possible session id.
    pub(crate) fn parse(self) -> Result<SessionId> {
        SessionId::try_from(self.session_id).map_err(|_| not_found())
    }
}

/// Returns a response with a session's JSON, which the script in Redis writes.
pub(crate) fn json(session: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], session).into_response()
}

/// Get a session
///
/// Reading a session counts as using it.
#[utoipa::path(
    get,
    operation_id = "getSession",
    path = "/api/sessions/{sessionId}",
    tag = "sessions",
    params(Id, GetQuery, Caller),
    responses(
        (status = 200, description = "The session", body = Session),
        (
            status = 404,
            description = "Unknown, expired or revoked session, or not visible to the caller",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn show(
    State(sessions): State<Sessions>,
    caller: Caller,
    Path(id): Path<Id>,
    Query(query): Query<GetQuery>,
) -> Result<Response> {
    let id = id.parse()?;
    let read = sessions.read(&id, caller.session_viewer(), query.totp_max_age);
    read.await?.map(json).ok_or_else(not_found)
}

/// Revoke a session
///
/// Once the call returns, no read shows the session again. An unknown session counts as revoked.
#[utoipa::path(
    delete,
    operation_id = "revokeSession",
    path = "/api/sessions/{sessionId}",
    tag = "sessions",
    params(Id, Caller),
    responses(
        (status = 204, description = "The session no longer exists"),
        (
            status = 404,
            description = "The caller may not revoke this session",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn revoke(
    State(sessions): State<Sessions>,
    caller: Caller,
    Path(id): Path<Id>,
) -> Result<StatusCode> {
    match sessions
        .revoke(&id.parse()?, caller.session_viewer())
        .await?
    {
        Revoked::Done => Ok(StatusCode::NO_CONTENT),
        Revoked::Hidden => Err(not_found()),
    }
}
