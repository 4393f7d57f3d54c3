//! `GET` and `DELETE /api/sessions/{sessionId}`: one session, looked at and revoked.

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

/// Which session.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
pub struct Id {
    /// The session's id.
    #[param(inline, value_type = SessionId)]
    session_id: String,
}

/// What is asked besides.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// How old a second factor may be, in seconds; `totp.fresh` says whether it is younger.
    #[param(minimum = 0, maximum = 4_294_967_295_i64)]
    totp_max_age: Option<u32>,
}

impl Id {
    /// The id, if a session can have it.
    pub(crate) fn known(self) -> Result<SessionId> {
        SessionId::try_from(self.session_id).map_err(|_| not_found())
    }
}

/// A session as JSON, which is written where it is decided.
pub(crate) fn json(session: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], session).into_response()
}

/// One session. Reading it is using it.
#[utoipa::path(
    get,
    operation_id = "getSession",
    path = "/api/sessions/{sessionId}",
    tag = "sessions",
    params(Id, Asked, Caller),
    responses(
        (status = 200, description = "The session", body = Session),
        (
            status = 404,
            description = "No such session: ended, revoked, or not yours to see",
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
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let id = id.known()?;
    let read = sessions.read(&id, caller.session_viewer(), asked.totp_max_age);
    read.await?.map(json).ok_or_else(not_found)
}

/// Revoke a session.
///
/// Once this is answered, no read anywhere shows it again. What there is not is revoked already.
#[utoipa::path(
    delete,
    operation_id = "revokeSession",
    path = "/api/sessions/{sessionId}",
    tag = "sessions",
    params(Id, Caller),
    responses(
        (status = 204, description = "There is no such session any more"),
        (
            status = 404,
            description = "Not yours to revoke",
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
        .revoke(&id.known()?, caller.session_viewer())
        .await?
    {
        Revoked::Done => Ok(StatusCode::NO_CONTENT),
        Revoked::Hidden => Err(not_found()),
    }
}
