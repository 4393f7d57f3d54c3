//! Names of queues, URL groups, schedules and flow-control keys.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longer names are refused.
const MAX_LENGTH: usize = 256;

/// A text that is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a name: 1 to 256 letters, digits, hyphens, underscores, periods, colons and at signs"
)]
pub(crate) struct Error(String);

/// A name of letters, digits, `.`, `_` and `-`; and of `:` and `@`, because flow-control keys are made of parts and of
/// users, and nothing says that QStash refuses them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Name(String);

impl Name {
    /// Checks a name.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let ok = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':' | b'@');
        if text.is_empty() || text.len() > MAX_LENGTH || !text.bytes().all(ok) {
            return Err(Error(text.chars().take(MAX_LENGTH).collect()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
