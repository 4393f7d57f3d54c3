//! `GET /api/audit/verify`: verifies that the log is unchanged.

use std::fmt;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::edge::documented::GuardProblems;
use shared::edge::input::Query;
use shared::edge::problem::ProblemDocument;
use shared::edge::{Caller, Problem, Result};
use shared::service::audit::{Name, Position, Scope, Verdict};
use tokio::time::Instant;

use crate::AppState;
use crate::list::TooLong;
use crate::viewer::viewer;

/// The longest time that one call verifies. API Gateway times out after 30 s.
const TIME_LIMIT: Duration = Duration::from_secs(15);

/// The longest accepted cursor, in bytes. It fits a name of 320 characters of the longest encoding.
const MAX_CURSOR_LEN: usize = 2048;

/// The chains to verify.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct VerifyQuery {
    /// Verify the chain of this signing request.
    request_id: Option<Name>,
    /// Verify every chain that contains an action of this user. Excludes `requestId`.
    user_id: Option<Name>,
    /// The `cursor` of the previous call.
    #[param(value_type = Option<String>, format = "audit-cursor", max_length = 2048)]
    cursor: Option<VerifyCursor>,
}

/// The result of a verification.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditVerdict {
    #[serde(flatten)]
    verdict: Verdict,
    /// The cursor to continue from if time ran out; absent when verification is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// A position in the log, encoded as opaque text.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct VerifyCursor(Position);

impl TryFrom<String> for VerifyCursor {
    type Error = &'static str;

    fn try_from(text: String) -> std::result::Result<Self, Self::Error> {
        const NONE: &str = "is not a valid cursor for this route";
        if text.len() > MAX_CURSOR_LEN {
            return Err(NONE);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NONE)?;
        let plain = String::from_utf8(bytes).map_err(|_| NONE)?;
        let mut parts = plain.splitn(3, '.');
        let (Some(sequence), Some(hash), Some(chain)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(NONE);
        };
        let sequence = sequence.parse().map_err(|_| NONE)?;
        if plain.contains('\0') || sequence < 0 {
            return Err(NONE);
        }
        Ok(Self(Position {
            chain: chain.to_owned(),
            sequence,
            hash: hash.to_owned(),
        }))
    }
}

impl fmt::Display for VerifyCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position {
            chain,
            sequence,
            hash,
        } = &self.0;
        f.write_str(&URL_SAFE_NO_PAD.encode(format!("{sequence}.{hash}.{chain}")))
    }
}

/// Verify the audit log
///
/// Walks the hash chains and reports the first broken link. Rows older than the chain are counted as `unchained`:
/// nothing proves them. A call that runs out of time returns a `cursor` to continue from.
#[utoipa::path(
    get,
    operation_id = "verifyAudit",
    path = "/api/audit/verify",
    tag = "audit",
    params(VerifyQuery, Caller),
    responses(
        (status = 200, description = "The result of the verification", body = AuditVerdict),
        (
            status = 403,
            description = "The address is blocked, or a non-administrator did not pass requestId of a visible request",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        TooLong,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn verify(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<VerifyQuery>,
) -> Result<Json<AuditVerdict>> {
    let scope = match (query.request_id, query.user_id) {
        (Some(_), Some(_)) => return Err(both_scopes_given()),
        (Some(request), None) => Scope::Request(request.into()),
        (None, Some(user)) => Scope::User(user.into()),
        (None, None) => Scope::All,
    };
    if !may_verify(&state, &caller, &scope).await? {
        return Err(forbidden());
    }
    let reached = query.cursor.map(|VerifyCursor(reached)| reached);
    let deadline = Instant::now() + TIME_LIMIT;
    let mut verdict = state
        .audit
        .verify(&state.signer, &scope, reached, deadline)
        .await?;
    let cursor = verdict.reached.take();
    let cursor = cursor.map(|reached| VerifyCursor(reached).to_string());
    if let Some(broken) = &verdict.first_broken {
        let (chain, sequence, detail) = (&broken.chain, broken.sequence, &broken.detail);
        tracing::error!(
            chain,
            sequence,
            detail,
            "audit chain broken: found by a verification"
        );
    }
    Ok(Json(AuditVerdict { verdict, cursor }))
}

async fn may_verify(state: &AppState, caller: &Caller, scope: &Scope) -> Result<bool> {
    if caller.is_admin() {
        return Ok(true);
    }
    match scope {
        Scope::Request(id) => Ok(state.audit.may_see_request(&viewer(caller), id).await?),
        Scope::User(_) | Scope::All => Ok(false),
    }
}

fn both_scopes_given() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "malformed_query",
        "Pass requestId or userId, not both.",
    )
}

fn forbidden() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "role_insufficient",
        "Pass requestId of a request you created.",
    )
}
