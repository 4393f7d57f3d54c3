//! `POST /api/sessions`: creates a session at login.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use shared::base::network;
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input;
use shared::edge::problem::ProblemDocument;
use shared::edge::{Caller, Problem, Result};
use shared::protocol::mail::EmailAddress;
use shared::service::session::{Created, Device, NewSession, RefreshToken, SessionId, Sessions};
use uuid::Uuid;

/// The stored length of an address text that is not an IP address, in characters. Proxies can send such texts.
const MAX_ADDRESS_LEN: usize = 64;

/// A session to create.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BeginSession)]
pub struct CreateSession {
    /// The id of the session; random if absent.
    session_id: Option<SessionId>,
    /// The id of the user.
    user_id: Uuid,
    /// The user's e-mail address.
    email: EmailAddress,
    /// The first refresh token. Only its SHA-256 is stored.
    refresh_token: RefreshToken,
    /// The browser's user agent. The first 512 bytes are stored.
    user_agent: Option<String>,
    /// The user's IP address; default `X-Client-Ip`. Of any other text, the first 64 visible ASCII characters are
    /// stored.
    #[serde(default, deserialize_with = "address")]
    ip_address: Option<String>,
}

/// A created session.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BegunSession)]
pub struct CreatedSession {
    /// The id of the session.
    session_id: String,
    /// The id of the user.
    user_id: String,
    /// When the session was created.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When the session expires if it is not used: in seven days. Each use extends it, up to 30 days in total.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Reads an address text from a proxy. No such text makes a login fail.
fn address<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text
        .map(|text| normalized(&text))
        .filter(|normalized| !normalized.is_empty()))
}

/// Returns the client's address in its plain form, or the storable part of another text.
fn normalized(text: &str) -> String {
    network::client(text).map_or_else(
        || {
            let visible = text.trim().chars().filter(|c| (' '..='~').contains(c));
            visible.take(MAX_ADDRESS_LEN).collect()
        },
        |address| address.to_string(),
    )
}

/// Create a session
///
/// A repeated call with the same `sessionId` and token gets the same response. A user has at most ten sessions; an
/// eleventh revokes the least recently used one.
#[utoipa::path(
    post,
    operation_id = "beginSession",
    path = "/api/sessions",
    tag = "sessions",
    params(Caller),
    request_body = CreateSession,
    responses(
        (status = 201, description = "The session was created", body = CreatedSession),
        (
            status = 409,
            description = "The session id was already used",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn create(
    State(sessions): State<Sessions>,
    caller: Caller,
    request: input::Json<CreateSession>,
) -> Result<(StatusCode, Json<CreatedSession>)> {
    let request = request.value;
    caller.must_be(request.user_id)?;
    let new = NewSession {
        id: request.session_id.unwrap_or_else(SessionId::random),
        user_id: request.user_id,
        email: request.email,
        token: request.refresh_token,
        device: Device::parse(request.user_agent.as_deref().unwrap_or_default()),
        ip_address: request
            .ip_address
            .or_else(|| caller.client_ip.map(|ip| ip.to_string())),
    };
    match sessions.create(&new).await? {
        Created::New {
            created_at,
            expires_at,
        } => Ok((
            StatusCode::CREATED,
            Json(CreatedSession {
                session_id: new.id.as_str().to_owned(),
                user_id: new.user_id.to_string(),
                created_at,
                expires_at,
            }),
        )),
        Created::Taken => Err(Problem::new(
            StatusCode::CONFLICT,
            "session_exists",
            "This session id was already used.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::normalized;

    #[test]
    fn address_is_normalised_and_other_text_is_cut() {
        let long = "x".repeat(5000);
        for (text, expected) in [
            ("203.0.113.9:443", "203.0.113.9"),
            ("[::ffff:203.0.113.9]", "203.0.113.9"),
            ("unknown", "unknown"),
            (" \u{fc}\n\t", ""),
            (&long, &long[..64]),
        ] {
            assert_eq!(normalized(text), expected);
        }
    }
}
