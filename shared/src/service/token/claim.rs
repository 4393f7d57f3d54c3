//! Codes of an authenticator: each is accepted once.

use std::time::Duration;

use serde::Deserialize;
use utoipa::ToSchema;

use super::{Error, Tokens};
use crate::base::id;
use crate::protocol::upstash::Command;
use crate::service::key::Family;

/// How long a code is remembered: longer than any verifier accepts it, which is some steps of 30 seconds.
const LIFE: Duration = Duration::from_mins(5);

/// A used code.
pub const TOTP_USED: Family = Family {
    pattern: "totp_used:{userId}:{code}",
    kind: "string",
    life: "5 minutes",
};

/// A code as typed by the user: 4 to 32 letters and digits. Spaces and hyphens are ignored.
#[derive(Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, pattern = "^[0-9A-Za-z]{4,32}$", examples("123456"))]
pub struct Code(String);

/// Why a text is not a code. It does not quote the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 4 to 32 letters and digits")]
pub struct InvalidCode;

impl TryFrom<String> for Code {
    type Error = InvalidCode;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let code: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '-'))
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let fits =
            (4..=32).contains(&code.len()) && code.bytes().all(|c| c.is_ascii_alphanumeric());
        fits.then_some(Self(code)).ok_or(InvalidCode)
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Tokens {
    /// Claims a code for a user. True the first time, false for a repetition. One command with its own nonce: sent
    /// again after a lost answer, it is still the first.
    pub async fn claim(&self, user: &str, code: &Code) -> Result<bool, Error> {
        let attempt = id::nonce();
        let command = Command::new("SET")
            .arg(TOTP_USED.key(&format!("{user}:{}", code.0)))
            .arg(&attempt)
            .args(["NX", "GET", "PX"])
            .arg(LIFE.as_millis())
            .repeatable();
        let holder = self.redis.run::<Option<String>>(command).await?;
        Ok(holder.is_none_or(|holder| holder == attempt))
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn code_is_normalised_before_it_is_compared() {
        let code = |text: &str| Code::try_from(text.to_owned());
        assert_eq!(code("123 456"), code("123456"));
        assert_eq!(code("abcd-ef12"), code("ABCDEF12"));
        for text in ["", "12", "12:34", "1234\n", "\u{661}\u{662}\u{663}\u{664}"] {
            assert!(code(text).is_err(), "{text:?}");
        }
    }
}
