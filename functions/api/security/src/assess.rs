//! `POST /api/security/assess`: assesses the risk of a visit.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::base::network::ClientAddress;
use shared::edge::Result;
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input;
use shared::edge::schema::IpAddress;
use shared::service::security::{self, Visitor};

use crate::AppState;
use crate::visitor::{Kind, Name, agent};

/// A visit to assess.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SecurityAssessment)]
pub struct AssessRequest {
    /// The account that the visitor tries to access, as named in attempts.
    identifier: Option<Name>,
    /// The account by user id, if there is no identifier.
    user_id: Option<Name>,
    /// The kind of attempt whose lockouts count; default `login`.
    kind: Option<Kind>,
    /// The visitor's IP address.
    #[schema(value_type = IpAddress)]
    ip: ClientAddress,
    /// The visitor's user agent; empty if there is none.
    user_agent: String,
    /// The requested path, with or without its query.
    path: String,
    /// The id that the web app stores on the device.
    device_id: Option<Name>,
}

/// The assessment of a visit.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Assessed {
    /// The verdict.
    verdict: Verdict,
    /// The risk, 0 to 100: 40 or more is a challenge, 80 or more a denial.
    score: u64,
    /// The reasons: `address-blocked`, `locked-out`, `user-agent-empty`, `user-agent-scripted`, `user-agent-bot`,
    /// `path-probed`, `new-device`, `many-addresses-for-account`, `many-accounts-from-address`, `refusals-in-a-row`.
    reasons: Vec<String>,
}

/// The verdict on a visit.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = VisitVerdict)]
pub enum Verdict {
    /// Allow the visit.
    Allow,
    /// Ask for more proof, such as a second factor or a captcha.
    Challenge,
    /// Deny the visit.
    Deny,
}

/// Assess a visitor
///
/// Scores a visit and says whether to allow, challenge or deny it.
#[utoipa::path(
    post,
    operation_id = "assessVisitor",
    path = "/api/security/assess",
    tag = "security",
    request_body = AssessRequest,
    responses(
        (status = 200, description = "The assessment", body = Assessed),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn assess(
    State(state): State<AppState>,
    request: input::Json<AssessRequest>,
) -> Result<Json<Assessed>> {
    let request = request.value;
    let account = request.identifier.as_ref().or(request.user_id.as_ref());
    let kind = request.kind.unwrap_or_else(Kind::login);
    let visitor = Visitor {
        address: request.ip.0,
        user_agent: &agent(&request.user_agent),
        device_id: request.device_id.as_ref().map(Name::as_str),
    };
    let assessment = state
        .security
        .assess(
            &visitor,
            &request.path,
            kind.as_str(),
            account.map(Name::as_str),
        )
        .await?;
    Ok(Json(Assessed {
        verdict: match assessment.verdict {
            security::Verdict::Allow => Verdict::Allow,
            security::Verdict::Challenge => Verdict::Challenge,
            security::Verdict::Deny => Verdict::Deny,
        },
        score: assessment.score,
        reasons: assessment.reasons,
    }))
}
