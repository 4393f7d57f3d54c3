//! The service tokens and their rights.

use http::{HeaderMap, header};

use crate::base::env;
use crate::base::secret::Secret;

/// The accepted tokens. Two may write, so that a token can be rotated without a gap.
#[derive(Debug)]
pub(super) struct Tokens {
    current: Secret,
    next: Option<Secret>,
    readonly: Option<Secret>,
}

/// The right that a token grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    Everything,
    Reading,
}

impl Right {
    /// Returns the identifier under which calls without an acting user are counted.
    pub(super) fn holder(self) -> &'static str {
        match self {
            Self::Everything => "service",
            Self::Reading => "readonly",
        }
    }
}

impl Tokens {
    pub(super) fn from_env() -> Result<Self, env::Error> {
        Ok(Self {
            current: env::secret("API_TOKEN")?,
            next: env::optional_secret("API_TOKEN_NEXT")?,
            readonly: env::optional_secret("API_TOKEN_READONLY")?,
        })
    }

    /// Returns the right of the request's bearer token. Every token is compared, so that the time reveals nothing.
    pub(super) fn right(&self, headers: &HeaderMap) -> Option<Right> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let token = bearer(value)?;
        let is =
            |secret: &Option<Secret>| secret.as_ref().is_some_and(|secret| secret.matches(token));
        let everything = self.current.matches(token) | is(&self.next);
        let reading = is(&self.readonly);
        match (everything, reading) {
            (true, _) => Some(Right::Everything),
            (false, true) => Some(Right::Reading),
            (false, false) => None,
        }
    }
}

/// Returns the token of a bearer credential; the scheme is case-insensitive (RFC 9110 section 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
