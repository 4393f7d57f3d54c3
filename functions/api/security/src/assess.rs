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

/// A visitor.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SecurityAssessment)]
pub struct Visit {
    /// Whose account the visitor wants into, as attempts name it.
    identifier: Option<Name>,
    /// The same by the user's id, where there is no identifier.
    user_id: Option<Name>,
    /// The kind of attempt whose lockouts count; `login` if absent.
    kind: Option<Kind>,
    /// The visitor's address.
    #[schema(value_type = IpAddress)]
    ip: ClientAddress,
    /// The visitor's user agent; empty if there is none.
    user_agent: String,
    /// What the visitor asks for, with its query or without.
    path: String,
    /// What the web app keeps on the device.
    device_id: Option<Name>,
}

/// What to do with the visitor.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Assessed {
    /// What to do.
    verdict: Verdict,
    /// 0 to 100: from 40 on a challenge, from 80 on a refusal.
    score: u64,
    /// Why: `address-blocked`, `locked-out`, `user-agent-empty`, `user-agent-scripted`, `user-agent-bot`,
    /// `path-probed`, `new-device`, `many-addresses-for-account`, `many-accounts-from-address`, `refusals-in-a-row`.
    reasons: Vec<String>,
}

/// What to do with a visitor.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = VisitVerdict)]
pub enum Verdict {
    /// Go on.
    Allow,
    /// Ask for something more: a second factor, a captcha.
    Challenge,
    /// Refuse.
    Deny,
}

/// Assess a visitor.
#[utoipa::path(
    post,
    operation_id = "assessVisitor",
    path = "/api/security/assess",
    tag = "security",
    request_body = Visit,
    responses(
        (status = 200, description = "What to do", body = Assessed),
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
