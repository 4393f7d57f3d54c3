//! `GET` and `DELETE /api/users/{userId}/sessions`: lists and revokes all sessions of a user.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shared::edge::documented::GuardProblems;
use shared::edge::input::{Path, Query};
use shared::edge::problem::ProblemDocument;
use shared::edge::{Caller, Problem, Result};
use shared::service::session::{AllRevoked, Session, SessionId, Sessions};
use uuid::Uuid;

/// The user of a path.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
pub struct UserPath {
    /// The id of the user.
    user_id: Uuid,
}

/// The session of the caller.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// The caller's session, marked as `current` in the list.
    #[param(inline, value_type = SessionId, required = false)]
    current: Option<SessionId>,
}

/// The session to keep.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RevokeQuery {
    /// The session that is not revoked.
    #[param(inline, value_type = SessionId, required = false)]
    except: Option<SessionId>,
}

/// The sessions of a user.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UserSessions {
    /// The sessions, most recently used first.
    #[schema(value_type = Vec<Session>)]
    items: Vec<Box<RawValue>>,
}

/// List a user's sessions
///
/// Listing sessions does not count as using them.
#[utoipa::path(
    get,
    operation_id = "listUserSessions",
    path = "/api/users/{userId}/sessions",
    tag = "sessions",
    params(UserPath, ListQuery, Caller),
    responses(
        (status = 200, description = "The sessions, most recently used first", body = UserSessions),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn list(
    State(sessions): State<Sessions>,
    caller: Caller,
    Path(path): Path<UserPath>,
    Query(query): Query<ListQuery>,
) -> Result<Json<UserSessions>> {
    caller.must_be(path.user_id)?;
    let items = sessions.list(path.user_id, query.current.as_ref());
    Ok(Json(UserSessions {
        items: items.await?,
    }))
}

/// Revoke a user's sessions
///
/// Revokes all sessions that exist at the time of the call, except the session in `except`. Later logins are not
/// affected.
#[utoipa::path(
    delete,
    operation_id = "revokeUserSessions",
    path = "/api/users/{userId}/sessions",
    tag = "sessions",
    params(UserPath, RevokeQuery, Caller),
    responses(
        (status = 204, description = "The sessions are revoked"),
        (
            status = 404,
            description = "`except` is not a session of this user; nothing was revoked",
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
    Path(path): Path<UserPath>,
    Query(query): Query<RevokeQuery>,
) -> Result<StatusCode> {
    caller.must_be(path.user_id)?;
    let revoked = sessions.revoke_all(path.user_id, query.except.as_ref());
    match revoked.await? {
        AllRevoked::Done => Ok(StatusCode::NO_CONTENT),
        AllRevoked::ExceptUnknown => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "session_unknown",
            "The session in except does not belong to this user. Nothing was revoked.",
        )),
    }
}
