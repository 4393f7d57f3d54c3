//! `POST /api/security/attempts`: an attempt to get in.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::base::network::ClientAddress;
use shared::edge::Result;
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input;
use shared::edge::schema::IpAddress;
use shared::protocol::mail::EmailAddress;
use shared::service::security::{Attempt, Visitor};

use crate::Desk;
use crate::visitor::{Kind, Name, agent};

/// An attempt.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SecurityAttempt)]
pub struct Made {
    /// What was attempted, such as `login` or `totp`: each counts by itself.
    kind: Kind,
    /// Whose account: an e-mail address, in whatever case, or a user's id.
    identifier: Name,
    /// The visitor's address.
    #[schema(value_type = IpAddress)]
    ip: ClientAddress,
    /// The visitor's user agent; empty if there is none.
    user_agent: String,
    /// Whether it succeeded, all factors included: a device becomes known by that.
    success: bool,
    /// What the web app keeps on the device, in a long-lived cookie. Without it the browser at its address counts.
    device_id: Option<Name>,
    /// Where the owner is told of a lockout or a new device, if the identifier does not say.
    email: Option<EmailAddress>,
}

/// What follows.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Recorded {
    /// Whether the account is locked for this visitor. Then nobody is to be let in, even if the attempt succeeded.
    locked: bool,
    /// Failures in a row, of this device or from this address.
    failures: u64,
    /// Seconds until the lock ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

/// Record an attempt.
///
/// Failures lock: five in a row for half a minute, each further one for twice as long, up to half an hour. A device that
/// the account knows is not locked out by what strangers do. A success behind a lock does not count: refuse it.
#[utoipa::path(
    post,
    operation_id = "recordAttempt",
    path = "/api/security/attempts",
    tag = "security",
    request_body = Made,
    responses(
        (status = 200, description = "Whether there is a lock", body = Recorded),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn record(State(desk): State<Desk>, made: input::Json<Made>) -> Result<Json<Recorded>> {
    let made = made.value;
    let outcome = desk
        .security
        .attempt(&Attempt {
            kind: made.kind.as_str(),
            identifier: made.identifier.as_str(),
            visitor: Visitor {
                address: made.ip.0,
                user_agent: &agent(&made.user_agent),
                device_id: made.device_id.as_ref().map(Name::as_str),
            },
            success: made.success,
            email: made.email.as_ref(),
        })
        .await?;
    let seconds = outcome.wait.as_secs() + u64::from(outcome.wait.subsec_nanos() > 0);
    Ok(Json(Recorded {
        locked: outcome.locked,
        failures: outcome.failures,
        retry_after: outcome.locked.then_some(seconds),
    }))
}
