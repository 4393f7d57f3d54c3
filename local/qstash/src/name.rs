//! Names of queues, URL groups and schedules, and the alphabet that keys, labels and deduplication ids share.
//!
//! The server accepts letters, digits, hyphens, underscores and periods; URL groups have no period. The maximum length
//! is a guess, because the documentation has none.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest accepted name.
const MAX_LENGTH: usize = 128;

/// The longest part of an invalid name in an error.
const MAX_SHOWN: usize = 200;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// It is empty, too long, or has characters outside the alphabet.
    #[error("`{0}` is not 1 to 128 letters, digits, hyphens, underscores and periods")]
    Name(String),
    /// The same, for an alphabet without periods.
    #[error("`{0}` is not 1 to 128 letters, digits, hyphens and underscores")]
    Group(String),
}

/// Checks a text against the common alphabet and length.
pub(crate) fn check(text: &str) -> Result<(), Error> {
    if fits(text, |b| b == b'.') {
        Ok(())
    } else {
        Err(Error::Name(shown(text)))
    }
}

fn fits(text: &str, more: impl Fn(u8) -> bool) -> bool {
    let ok = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-') || more(b);
    !text.is_empty() && text.len() <= MAX_LENGTH && text.bytes().all(ok)
}

fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN).collect()
}

/// A name. Stored names were checked by the rules of their time and are read unchanged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Name(String);

impl Name {
    /// Checks a name.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        check(text)?;
        Ok(Self(text.to_owned()))
    }

    /// Checks the name of a URL group.
    pub(crate) fn parse_group(text: &str) -> Result<Self, Error> {
        if fits(text, |_| false) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::Group(shown(text)))
        }
    }

    /// Creates a name from the store, unchecked.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// Returns the name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_outside_the_alphabet_or_longer_than_128_is_refused() {
        assert!(Name::parse("a-Z_0.9").is_ok() && Name::parse(&"x".repeat(128)).is_ok());
        for text in ["", "a:b", "a@b", "a/b", "a b", "ü", &"x".repeat(129)] {
            assert!(Name::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn group_name_with_a_period_is_refused() {
        assert!(Name::parse_group("my-group_1").is_ok());
        assert!(Name::parse_group("my.group").is_err());
    }

    #[test]
    fn name_in_an_older_store_is_read() {
        let name: Name = serde_json::from_str("\"email:high:acme\"").expect("a name");
        assert_eq!(name.as_str(), "email:high:acme");
    }
}
