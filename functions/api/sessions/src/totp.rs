//! `PUT /api/sessions/{sessionId}/totp`: records whether a second factor was verified.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input::{self, Path};
use shared::edge::problem::ProblemDocument;
use shared::edge::schema::{self, Interdependent};
use shared::edge::{Caller, Result};
use shared::service::session::{Context, Session, Sessions};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use crate::get::{Id, json};
use crate::not_found;

/// The second factor of a session.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = SessionTotp)]
pub struct TotpRequest {
    /// Whether the second factor was verified. False removes an earlier verification.
    verified: bool,
    /// The context of the verification; required if `verified` is true.
    context: Option<Context>,
}

impl Interdependent for TotpRequest {
    fn alternatives() -> Vec<Object> {
        let verified = |is: bool| {
            let only = ObjectBuilder::new().schema_type(Type::Boolean);
            ObjectBuilder::new().property("verified", only.enum_values(Some([is])))
        };
        let context = ObjectBuilder::new().schema_type(Type::String);
        vec![
            verified(false).build(),
            verified(true)
                .property("context", context)
                .required("context")
                .build(),
        ]
    }
}

/// The schema of the request.
type Documented = schema::Documented<TotpRequest>;

/// Record a second factor
///
/// Stores that the user verified a second factor just now, or removes an earlier verification.
#[utoipa::path(
    put,
    operation_id = "putSessionTotp",
    path = "/api/sessions/{sessionId}/totp",
    tag = "sessions",
    params(Id, Caller),
    request_body = Documented,
    responses(
        (status = 200, description = "The session", body = Session),
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
pub async fn put(
    State(sessions): State<Sessions>,
    caller: Caller,
    Path(id): Path<Id>,
    request: input::Json<TotpRequest>,
) -> Result<Response> {
    let proven = match request.value {
        TotpRequest {
            verified: true,
            context: None,
        } => {
            return Err(input::invalid(
                "/context",
                "is required when verified is true: login, signing or both",
            ));
        }
        TotpRequest {
            verified: true,
            context,
        } => context,
        TotpRequest {
            verified: false, ..
        } => None,
    };
    let id = id.parse()?;
    let session = sessions.set_totp(&id, caller.session_viewer(), proven);
    session.await?.map(json).ok_or_else(not_found)
}
