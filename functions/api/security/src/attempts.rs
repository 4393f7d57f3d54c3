//! `POST /api/security/attempts`: records an authentication attempt.

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

use crate::AppState;
use crate::visitor::{Kind, Name, agent};

/// An attempt to record.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SecurityAttempt)]
pub struct AttemptRequest {
    /// The kind of attempt, such as `login` or `totp`. Each kind is counted separately.
    kind: Kind,
    /// The account: an e-mail address, ignoring case, or a user id.
    identifier: Name,
    /// The visitor's IP address.
    #[schema(value_type = IpAddress)]
    ip: ClientAddress,
    /// The visitor's user agent; empty if there is none.
    user_agent: String,
    /// Whether the attempt succeeded with all factors. A success makes the device known to the account.
    success: bool,
    /// The id that the web app stores on the device in a long-lived cookie. Without it, the browser and its address
    /// identify the device.
    device_id: Option<Name>,
    /// The address to notify of a lockout or a new device, if the identifier is not an e-mail address.
    email: Option<EmailAddress>,
}

/// The lock after an attempt.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Recorded {
    /// Whether the account is locked for this visitor. If so, reject the attempt even if it succeeded.
    locked: bool,
    /// Failures in a row, of this device or from this address.
    failures: u64,
    /// Seconds until the lock ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

/// Record an attempt
///
/// Five failures in a row lock for 30 seconds; each further one doubles the lock, up to 30 minutes. Failures of
/// strangers do not lock a device that the account knows. Reject a success during a lock: it does not count.
#[utoipa::path(
    post,
    operation_id = "recordAttempt",
    path = "/api/security/attempts",
    tag = "security",
    request_body = AttemptRequest,
    responses(
        (status = 200, description = "Whether the account is locked", body = Recorded),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn record(
    State(state): State<AppState>,
    request: input::Json<AttemptRequest>,
) -> Result<Json<Recorded>> {
    let request = request.value;
    let outcome = state
        .security
        .attempt(&Attempt {
            kind: request.kind.as_str(),
            identifier: request.identifier.as_str(),
            visitor: Visitor {
                address: request.ip.0,
                user_agent: &agent(&request.user_agent),
                device_id: request.device_id.as_ref().map(Name::as_str),
            },
            success: request.success,
            email: request.email.as_ref(),
        })
        .await?;
    let seconds = outcome.wait.as_secs() + u64::from(outcome.wait.subsec_nanos() > 0);
    Ok(Json(Recorded {
        locked: outcome.locked,
        failures: outcome.failures,
        retry_after: outcome.locked.then_some(seconds),
    }))
}
