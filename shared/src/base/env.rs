//! The environment, read once at init. Every error names the variable, so that a failed deployment explains itself.

use std::str::FromStr;

use super::secret::Secret;

/// Why a variable could not be used. Its text is the one line that a function prints before it stops.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The variable is absent or empty.
    #[error("{0} is not set; add it to the function's environment")]
    Missing(&'static str),
    /// The variable is there but not what it should be. The value is left out: it may be a secret.
    #[error("{name} is not valid: {reason}")]
    Malformed {
        /// The variable.
        name: &'static str,
        /// What was wrong with it.
        reason: String,
    },
}

/// The value of a variable that the function cannot do without.
pub fn required(name: &'static str) -> Result<String, Error> {
    optional(name).ok_or(Error::Missing(name))
}

/// The value of a variable that may be absent. Empty counts as absent.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub fn optional(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A required variable that holds a secret.
pub fn secret(name: &'static str) -> Result<Secret, Error> {
    required(name).map(Secret::new)
}

/// A required variable, parsed.
pub fn parsed<T>(name: &'static str) -> Result<T, Error>
where
    T: FromStr<Err: std::fmt::Display>,
{
    parse(name, &required(name)?)
}

/// An optional variable, parsed when it is there.
pub fn parsed_or<T>(name: &'static str, default: T) -> Result<T, Error>
where
    T: FromStr<Err: std::fmt::Display>,
{
    optional(name).map_or(Ok(default), |value| parse(name, &value))
}

fn parse<T>(name: &'static str, value: &str) -> Result<T, Error>
where
    T: FromStr<Err: std::fmt::Display>,
{
    value.parse().map_err(|reason| Error::Malformed {
        name,
        reason: format!("{reason}"),
    })
}
