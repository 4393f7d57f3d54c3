//! The Idempotency-Key header: requests with equal keys are one request.

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;
use serde_json::{Number, Value};
use shared::edge::input::visible;
use shared::edge::{Caller, Problem};
use shared::service::job::Idempotency;

/// The longest accepted key.
const MAX_KEY_LEN: usize = 255;

/// The largest range in which a double represents every integer exactly.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// The header, if present.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyKey {
    /// For 24 hours, requests with equal keys and equal bodies get the same jobs in response.
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
    /// Returns the idempotency scope of this caller's key on this route, with its body. Bodies with equal content are
    /// equal. The order of members, white space and spellings of numbers depend on the caller's JSON library.
    pub(crate) fn of(&self, caller: &Caller, route: &str, body: &Value) -> Option<Idempotency> {
        let key = self.key.as_deref()?;
        let body = canonical(body).to_string();
        Some(Idempotency::new(
            caller.tenant(),
            route,
            key,
            body.as_bytes(),
        ))
    }
}

/// Returns the same document with canonical numbers. Its members are sorted by name already.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(integer(number).unwrap_or_else(|| number.clone())),
        Value::Array(items) => items.iter().map(canonical).collect(),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| (name.clone(), canonical(value)));
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

/// Returns `18.0` and `1.8e1` as `18`.
fn integer(number: &Number) -> Option<Number> {
    let float = number.as_f64().filter(|_| number.is_f64())?;
    let is_whole = float.fract() == 0.0 && float.abs() <= MAX_EXACT;
    // Adding zero turns minus zero into zero.
    is_whole.then(|| format!("{:.0}", float + 0.0).parse().ok())?
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Ok(Self { key: None });
        };
        let key = visible(value, MAX_KEY_LEN).ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "idempotency_key_invalid",
                "Idempotency-Key must be 1 to 255 visible ASCII characters.",
            )
        })?;
        Ok(Self {
            key: Some(key.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::canonical;

    fn text(body: &str) -> String {
        canonical(&serde_json::from_str::<Value>(body).unwrap()).to_string()
    }

    #[test]
    fn equivalent_bodies_are_equal() {
        let body = text(r#"{"to":"a","n":18,"list":[{"x":1,"y":-2}]}"#);
        for same in [
            r#"{ "n": 18, "list": [ { "y": -2, "x": 1 } ], "to": "a" }"#,
            r#"{"to":"\u0061","n":18.0,"list":[{"x":1e0,"y":-2.0}]}"#,
            r#"{"to":"a","n":1.8e1,"list":[{"x":1,"y":-2}]}"#,
        ] {
            assert_eq!(text(same), body, "{same}");
        }
    }

    #[test]
    fn different_bodies_are_not_equal() {
        let body = text(r#"{"n":1,"list":[1,2]}"#);
        for other in [
            r#"{"n":1.5,"list":[1,2]}"#,
            r#"{"n":"1","list":[1,2]}"#,
            r#"{"n":1,"list":[2,1]}"#,
            r#"{"n":1,"list":[1,2],"x":null}"#,
            r#"{"n":1e300,"list":[1,2]}"#,
        ] {
            assert_ne!(text(other), body, "{other}");
        }
        assert_ne!(text("9007199254740993"), text("9007199254740992"));
    }
}
