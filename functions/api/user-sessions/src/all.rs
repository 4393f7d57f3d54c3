//! `GET` and `DELETE /api/users/{userId}/sessions`: all of a user's sessions, listed and revoked.

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

/// Whose sessions.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
pub struct Whose {
    /// The user's id.
    user_id: Uuid,
}

/// Who asks.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asking {
    /// The session that asks: it is marked as `current`.
    #[param(inline, value_type = SessionId, required = false)]
    current: Option<SessionId>,
}

/// What is kept.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Kept {
    /// The session of this user that is not revoked.
    #[param(inline, value_type = SessionId, required = false)]
    except: Option<SessionId>,
}

/// A user's sessions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UserSessions {
    /// The sessions, those used last first.
    #[schema(value_type = Vec<Session>)]
    items: Vec<Box<RawValue>>,
}

/// A user's sessions. Listing them does not use them.
#[utoipa::path(
    get,
    operation_id = "listUserSessions",
    path = "/api/users/{userId}/sessions",
    tag = "sessions",
    params(Whose, Asking, Caller),
    responses(
        (status = 200, description = "The sessions", body = UserSessions),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn list(
    State(sessions): State<Sessions>,
    caller: Caller,
    Path(whose): Path<Whose>,
    Query(asking): Query<Asking>,
) -> Result<Json<UserSessions>> {
    caller.must_be(whose.user_id)?;
    let items = sessions.list(whose.user_id, asking.current.as_ref());
    Ok(Json(UserSessions {
        items: items.await?,
    }))
}

/// Revoke a user's sessions, all or all but one.
///
/// Those that have begun when this is asked: a login after it is not undone.
#[utoipa::path(
    delete,
    operation_id = "revokeUserSessions",
    path = "/api/users/{userId}/sessions",
    tag = "sessions",
    params(Whose, Kept, Caller),
    responses(
        (status = 204, description = "They are revoked"),
        (
            status = 404,
            description = "`except` is not a session of this user; nothing changed",
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
    Path(whose): Path<Whose>,
    Query(kept): Query<Kept>,
) -> Result<StatusCode> {
    caller.must_be(whose.user_id)?;
    let revoked = sessions.revoke_all(whose.user_id, kept.except.as_ref());
    match revoked.await? {
        AllRevoked::Done => Ok(StatusCode::NO_CONTENT),
        AllRevoked::ExceptUnknown => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "session_unknown",
            "The session in except does not belong to this user. Nothing was revoked.",
        )),
    }
}
