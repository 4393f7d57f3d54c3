//! Decoding JSON into a payload type, with errors that name the member (RFC 6901).

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;
use utoipa::ToSchema;

use crate::base::pointer::pointer;

/// The error of a payload, with its location.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", if pointer.is_empty() { String::new() } else { format!("{pointer} ") })]
pub struct Invalid {
    pointer: String,
    reason: String,
}

impl Invalid {
    pub(in crate::service) fn at(pointer: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            reason: reason.into(),
        }
    }

    /// Returns the JSON pointer of the invalid member; empty for the whole payload.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Returns the description of the error. It does not quote the value.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// Decodes a `T` from JSON.
pub(in crate::service) fn from<'de, T: Deserialize<'de>>(
    payload: &'de Value,
) -> Result<T, Invalid> {
    serde_path_to_error::deserialize(payload).map_err(|error| {
        let pointer = pointer(error.path());
        let reason = error.inner().to_string();
        // serde reports a missing member at its parent, and names it only in the message.
        let missing = reason
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split_once('`'));
        if let Some((member, _)) = missing {
            return Invalid::at(format!("{pointer}/{member}"), "is missing");
        }
        Invalid::at(pointer, reason)
    })
}

/// An optional text: absent, `null` and blank mean none.
// It documents what `optional` reads.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it documents what is read as an `Option`")]
pub(in crate::service) enum Optional<T> {
    /// The text.
    Given(T),
    /// No text.
    Blank(Blank),
}

/// `null` or a blank text.
#[derive(Serialize, ToSchema)]
#[schema(value_type = Option<String>, pattern = r"^[ \t\r\n]*$")]
pub(in crate::service) struct Blank(Option<String>);

/// Reads an optional text member: absent, `null` and blank all mean none, as in forms.
pub(in crate::service) fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<String, Error: std::fmt::Display>,
{
    Option::<String>::deserialize(deserializer)?
        .filter(|text| !text.trim().is_empty())
        .map(|text| T::try_from(text).map_err(de::Error::custom))
        .transpose()
}
