//! Texts of an audit event: bounded, and valid in Postgres.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The name or id of a user, a resource or a request.
pub type Name = Text<320>;

/// An action, or the type of a resource.
pub type Word = Text<100>;

/// A text of 1 to `MAX_LEN` characters that Postgres can store, unchanged: evidence is not normalized.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MAX_LEN: usize>(String);

/// The same as a pattern: no NUL, and at least one character that is not white space. It lists the characters of
/// Unicode's `White_Space`, because `\s` differs between dialects: ECMAScript's contains U+FEFF, and lacks U+0085.
const PATTERN: &str = r"^[^\u0000]*[^\u0000\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000][^\u0000]*$";

/// Why a text is rejected. It does not quote the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Only white space.
    #[error("must not be blank")]
    Blank,
    /// More characters than the limit.
    #[error("must not be longer than {0} characters")]
    TooLong(usize),
    /// A NUL character, which Postgres cannot store.
    #[error("must not contain NUL characters")]
    Nul,
}

impl<const MAX_LEN: usize> Text<MAX_LEN> {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX_LEN: usize> TryFrom<String> for Text<MAX_LEN> {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        if text.trim().is_empty() {
            return Err(InvalidText::Blank);
        }
        if text.contains('\0') {
            return Err(InvalidText::Nul);
        }
        if text.chars().count() > MAX_LEN {
            return Err(InvalidText::TooLong(MAX_LEN));
        }
        Ok(Self(text))
    }
}

impl<const MAX_LEN: usize> From<Text<MAX_LEN>> for String {
    fn from(text: Text<MAX_LEN>) -> Self {
        text.0
    }
}

impl<const MAX_LEN: usize> fmt::Display for Text<MAX_LEN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX_LEN: usize> PartialSchema for Text<MAX_LEN> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(MAX_LEN))
            .pattern(Some(PATTERN))
            .into()
    }
}

impl<const MAX_LEN: usize> ToSchema for Text<MAX_LEN> {
    fn name() -> Cow<'static, str> {
        format!("AuditText{MAX_LEN}").into()
    }
}

#[cfg(test)]
mod tests {
    use super::{Name, PATTERN};

    /// Returns the ranges of the pattern's second class: a text must contain a character outside them.
    fn blank() -> Vec<std::ops::RangeInclusive<char>> {
        let class = PATTERN.split("[^").nth(2).unwrap();
        let class = class.split(']').next().unwrap();
        let character = |hex: &str| char::from_u32(u32::from_str_radix(hex, 16).unwrap()).unwrap();
        let mut ranges = Vec::new();
        for part in class.split(r"\u").skip(1) {
            match part.strip_suffix('-') {
                Some(first) => ranges.push(character(first)..=char::MAX),
                None => match ranges.pop() {
                    Some(open) if *open.end() == char::MAX => {
                        ranges.push(*open.start()..=character(part));
                    }
                    Some(before) => ranges.extend([before, character(part)..=character(part)]),
                    None => ranges.push(character(part)..=character(part)),
                },
            }
        }
        ranges
    }

    #[test]
    fn documented_pattern_matches_exactly_the_accepted_characters() {
        let blank = blank();
        for character in '\0'..=char::MAX {
            let taken = Name::try_from(character.to_string()).is_ok();
            let promised = !blank.iter().any(|range| range.contains(&character));
            assert_eq!(taken, promised, "{character:?}");
        }
    }
}
