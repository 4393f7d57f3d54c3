//! `POST /api/security/assess`: what speaks for and against a visitor.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::base::network::ClientAddress;
use shared::edge::Result;
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input;
use shared::edge::schema::IpAddress;
use shared::service::security::{self, Visitor};

use crate::Desk;
use crate::visitor::{Kind, Name, agent};

/// A visit to assess.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SecurityAssessment)]
pub struct Visit {
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
    request_body = Visit,
    responses(
        (status = 200, description = "The assessment", body = Assessed),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn assess(State(desk): State<Desk>, visit: input::Json<Visit>) -> Result<Json<Assessed>> {
    let visit = visit.value;
    let account = visit.identifier.as_ref().or(visit.user_id.as_ref());
    let kind = visit.kind.unwrap_or_else(Kind::login);
    let visitor = Visitor {
        address: visit.ip.0,
        user_agent: &agent(&visit.user_agent),
        device_id: visit.device_id.as_ref().map(Name::as_str),
    };
    let assessment = desk
        .security
        .assess(
            &visitor,
            &visit.path,
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
