//! Session ids and refresh tokens.

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::base::hex::hex;
use crate::base::id;

/// A session id: 1 to 128 letters, digits, `-`, `.`, `_` or `~`, but not only dots.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(
    value_type = String,
    min_length = 1,
    max_length = 128,
    pattern = "^[A-Za-z0-9._~-]*[A-Za-z0-9_~-][A-Za-z0-9._~-]*$"
)]
pub struct SessionId(String);

/// Why a text is not a valid id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 128 letters, digits, `-`, `.`, `_` or `~`, and not only dots")]
pub struct InvalidSessionId;

impl SessionId {
    /// Returns a new, unpredictable id.
    #[must_use]
    pub fn random() -> Self {
        Self(id::nonce())
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SessionId {
    type Error = InvalidSessionId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        // `.` and `..` would be parsed as path steps.
        let is_step = text.bytes().all(|byte| byte == b'.');
        if text.len() <= 128 && text.bytes().all(fits) && !is_step {
            Ok(Self(text))
        } else {
            Err(InvalidSessionId)
        }
    }
}

/// A refresh token of 1 to 4096 characters, made by the web app. Only its SHA-256 is stored.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 4096)]
pub struct RefreshToken(String);

/// Why a text is not a valid refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 4096 characters long")]
pub struct InvalidToken;

impl RefreshToken {
    /// Returns its SHA-256 in hexadecimal.
    #[must_use]
    pub(super) fn hash(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RefreshToken {
    type Error = InvalidToken;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if !(1..=4096).contains(&text.chars().count()) {
            return Err(InvalidToken);
        }
        Ok(Self(hex(&Sha256::digest(text))))
    }
}

/// Prints nothing, not even the hash.
impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::{RefreshToken, SessionId};

    #[test]
    fn session_id_unfit_for_a_path_or_a_key_is_refused() {
        let long = "x".repeat(129);
        for text in ["", "..", ".", "...", "a/b", "a b", "*at", "a:b", "ü", &long] {
            assert!(SessionId::try_from(text.to_owned()).is_err(), "{text}");
        }
        assert!(SessionId::try_from("Az0-._~".to_owned()).is_ok());
    }

    #[test]
    fn refresh_token_is_not_printed() {
        let token = RefreshToken::try_from("hush".to_owned()).unwrap();
        assert_eq!(format!("{token:?}"), "[redacted]");
        assert_eq!(token.hash().len(), 64);
    }
}
