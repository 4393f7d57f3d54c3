//! Fields that say who a visitor is, checked.

use shared::edge::Result;
use shared::edge::input::invalid;

/// The longest identifier and device id, in characters.
pub(crate) const LONGEST: usize = 320;

/// The longest user agent that is looked at; what is longer is cut.
const LONGEST_AGENT: usize = 512;

/// The kind of an attempt: small letters, digits and hyphens, beginning with a letter.
pub(crate) fn kind(kind: &str) -> Result<&str> {
    let is_kind = kind.len() <= 32
        && kind.starts_with(|c: char| c.is_ascii_lowercase())
        && kind
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if is_kind {
        return Ok(kind);
    }
    Err(invalid(
        "/kind",
        "is 1 to 32 small letters, digits and hyphens",
    ))
}

/// A text of 1 to 320 characters without control characters.
pub(crate) fn text<'a>(at: &str, text: &'a str) -> Result<&'a str> {
    let length = text.chars().count();
    if (1..=LONGEST).contains(&length)
        && !text.trim().is_empty()
        && !text.chars().any(char::is_control)
    {
        return Ok(text);
    }
    Err(invalid(
        at,
        "is 1 to 320 characters, none of them a control character",
    ))
}

/// The user agent, cut to what is looked at and without what a database does not take.
pub(crate) fn agent(agent: &str) -> String {
    agent
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_AGENT)
        .collect()
}
