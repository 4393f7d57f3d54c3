//! The header by which a caller promises that equal keys mean one wish.

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;
use shared::edge::input::visible;
use shared::edge::{Caller, Problem};
use shared::service::job::Idempotency;

/// The longest key that is taken.
const LONGEST: usize = 255;

/// What the header says, if it is there.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyKey {
    /// Equal keys with equal bodies are one wish, for 24 hours: the answer names the same jobs.
    #[param(
        rename = "Idempotency-Key",
        value_type = String,
        required = false,
        max_length = 255,
        pattern = "^[!-~]([ -~]*[!-~])?$"
    )]
    key: Option<String>,
}

impl IdempotencyKey {
    /// What this caller's key means on this route, with the body that it came with.
    pub(crate) fn of(&self, caller: &Caller, route: &str, body: &[u8]) -> Option<Idempotency> {
        let key = self.key.as_deref()?;
        Some(Idempotency::new(caller.tenant(), route, key, body))
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Ok(Self { key: None });
        };
        let key = visible(value, LONGEST).ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "idempotency_key_invalid",
                "Idempotency-Key is 1 to 255 visible ASCII characters.",
            )
        })?;
        Ok(Self {
            key: Some(key.to_owned()),
        })
    }
}
