//! The environment, read once at init. Every error names the variable, so that a failed deployment explains itself.
//!
//! Missing variables may be supplied from elsewhere before the first read ([`supply`]).

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::OnceLock;

use super::secret::Secret;

/// Why a variable could not be used. The function prints this text as one line before it stops.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The variable is absent or empty.
    #[error("{0} is not set; add it to the function's environment")]
    Missing(&'static str),
    /// The variable is set, but its value is invalid. The value is omitted: it may be a secret.
    #[error("{name} is not valid: {reason}")]
    Malformed {
        /// The variable.
        name: &'static str,
        /// Why the value is invalid.
        reason: String,
    },
}

/// Returns the value of a variable that the function requires.
pub fn required(name: &'static str) -> Result<String, Error> {
    optional(name).ok_or(Error::Missing(name))
}

/// Returns the value of an optional variable. An empty value counts as absent.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub fn optional(name: &'static str) -> Option<String> {
    pick(std::env::var(name).ok(), || SUPPLIED.get()?.get(name))
}

/// Values for variables that the environment lacks.
static SUPPLIED: OnceLock<BTreeMap<String, Secret>> = OnceLock::new();

/// Supplies values for variables that are absent or empty; set variables keep their value. Called once, before the
/// first read: later calls have no effect.
pub fn supply(entries: BTreeMap<String, Secret>) {
    // A second supply would change values that were already read.
    let _ = SUPPLIED.set(entries);
}

fn pick<'a>(own: Option<String>, supplied: impl FnOnce() -> Option<&'a Secret>) -> Option<String> {
    own.filter(|value| !value.is_empty()).or_else(|| {
        let value = supplied()?.expose();
        (!value.is_empty()).then(|| value.to_owned())
    })
}

/// Returns a required variable that holds a secret.
pub fn secret(name: &'static str) -> Result<Secret, Error> {
    one_line(name, required(name)?)
}

/// Returns an optional variable that holds a secret.
pub fn optional_secret(name: &'static str) -> Result<Option<Secret>, Error> {
    optional(name)
        .map(|value| one_line(name, value))
        .transpose()
}

/// Returns the value as a secret. Errors if it has control characters or surrounding space: a line break or a space
/// copied at its end makes a different secret, and every service would reject it.
fn one_line(name: &'static str, value: String) -> Result<Secret, Error> {
    if value.contains(char::is_control) || value.trim() != value {
        return Err(Error::Malformed {
            name,
            reason: "it holds a line break or another control character, or spaces around it; \
                remove them"
                .to_owned(),
        });
    }
    Ok(Secret::new(value))
}

/// Returns a required variable, parsed.
pub fn parsed<T>(name: &'static str) -> Result<T, Error>
where
    T: FromStr<Err: std::fmt::Display>,
{
    parse(name, &required(name)?)
}

/// Returns an optional variable, parsed if it is set.
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

#[cfg(test)]
mod tests {
    use super::{Error, one_line, pick};
    use crate::base::secret::Secret;

    #[test]
    fn secret_with_a_line_break_or_outer_space_is_refused_by_variable_name() {
        for value in [
            "hush\n", "hush\r\n", "hu\nsh", " hush", "hush ", "hu\0sh", "\thush",
        ] {
            let refused = one_line("API_TOKEN", value.to_owned()).unwrap_err();
            assert!(matches!(
                refused,
                Error::Malformed {
                    name: "API_TOKEN",
                    ..
                }
            ));
            let message = refused.to_string();
            assert!(
                message.contains("API_TOKEN") && !message.contains("hu"),
                "{message}"
            );
        }
        assert_eq!(one_line("X", "hu sh".to_owned()).unwrap().expose(), "hu sh");
    }

    fn picked(own: Option<&str>, supplied: Option<&str>) -> Option<String> {
        let supplied = supplied.map(|value| Secret::new(value.to_owned()));
        pick(own.map(ToOwned::to_owned), || supplied.as_ref())
    }

    #[test]
    fn variable_set_in_the_environment_is_kept() {
        assert_eq!(picked(Some("own"), Some("other")).unwrap(), "own");
        assert_eq!(picked(Some("own"), None).unwrap(), "own");
    }

    #[test]
    fn missing_or_empty_variable_is_filled_in() {
        assert_eq!(picked(None, Some("other")).unwrap(), "other");
        assert_eq!(picked(Some(""), Some("other")).unwrap(), "other");
    }

    #[test]
    fn empty_entry_is_ignored() {
        assert_eq!(picked(None, Some("")), None);
        assert_eq!(picked(Some(""), None), None);
    }
}
