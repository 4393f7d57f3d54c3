//! Validated descriptions of a visitor and an attempt.

use serde::Deserialize;
use utoipa::ToSchema;

/// The longest stored user agent; a longer one is truncated.
const MAX_AGENT_LEN: usize = 512;

/// The name of an account or a device: 1 to 320 characters, no control characters, not only spaces.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(
    as = VisitorName,
    value_type = String,
    min_length = 1,
    max_length = 320,
    pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000][^\u0000-\u001f\u007f-\u009f]*$"
)]
pub(crate) struct Name(String);

/// Why a text is not a valid name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 320 characters long, without control characters")]
pub(crate) struct InvalidName;

impl Name {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        let fits = text.chars().count() <= 320 && !text.chars().any(char::is_control);
        if text.trim().is_empty() || !fits {
            return Err(InvalidName);
        }
        Ok(Self(text))
    }
}

/// The kind of an attempt: lower-case letters, digits and hyphens, starting with a letter.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(as = AttemptKind, value_type = String, pattern = "^[a-z][a-z0-9-]{0,31}$")]
pub(crate) struct Kind(String);

/// Why a text is not a valid kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 32 lowercase letters, digits and hyphens")]
pub(crate) struct InvalidKind;

impl Kind {
    /// Returns the kind of a login.
    pub(crate) fn login() -> Self {
        Self("login".to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Kind {
    type Error = InvalidKind;

    fn try_from(text: String) -> Result<Self, InvalidKind> {
        let part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        if text.len() <= 32 && begins && text.chars().all(part) {
            return Ok(Self(text));
        }
        Err(InvalidKind)
    }
}

/// Returns the user agent, truncated and without characters that Postgres rejects.
pub(crate) fn agent(agent: &str) -> String {
    agent
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_AGENT_LEN)
        .collect()
}
