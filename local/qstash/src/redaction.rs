//! The parts of a message that the API must not show: `Upstash-Redact-Fields`.
//!
//! Deliveries carry the originals; listings show `REDACTED:<sha256>`. The SDK writes `header`, the API description
//! `headers`: both are accepted. Source: <https://upstash.com/docs/qstash/features/redact-fields>.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::header_map::Headers;

/// A field that cannot be redacted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be redacted: body, header and header[Name] can")]
pub(crate) struct Error(String);

/// The parts of a message that the API must not show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Redaction {
    body: bool,
    all_headers: bool,
    headers: Vec<String>,
}

impl Redaction {
    /// Parses a comma list of `body`, `header` and `header[Name]`.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let mut redaction = Self::default();
        for field in text
            .split(',')
            .map(str::trim)
            .filter(|field| !field.is_empty())
        {
            match field {
                "body" => redaction.body = true,
                "header" | "headers" => redaction.all_headers = true,
                _ => redaction
                    .headers
                    .push(header_name(field).ok_or_else(|| Error(field.to_owned()))?),
            }
        }
        Ok(redaction)
    }

    /// Returns whether the body is hidden.
    pub(crate) fn hides_body(&self) -> bool {
        self.body
    }

    /// Returns the headers with redacted values.
    pub(crate) fn headers(&self, headers: &Headers) -> Headers {
        headers.map_values(|name, value| {
            let hidden = self.all_headers
                || self
                    .headers
                    .iter()
                    .any(|hidden| hidden.eq_ignore_ascii_case(name));
            if hidden {
                mark(value.as_bytes())
            } else {
                value.to_owned()
            }
        })
    }
}

/// Returns the redacted form of `original`.
pub(crate) fn mark(original: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(original)
        .iter()
        .fold("REDACTED:".to_owned(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn header_name(field: &str) -> Option<String> {
    let inner = field
        .strip_prefix("headers[")
        .or_else(|| field.strip_prefix("header["))?;
    let name = inner.strip_suffix(']')?.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_redact_a_header_and_leave_the_others() {
        let mut headers = Headers::default();
        headers.add("Authorization", "secret");
        headers.add("X-Public", "open");
        for text in ["header[authorization]", "headers[Authorization], body"] {
            let shown = Redaction::parse(text).expect(text).headers(&headers);
            let shown: Vec<_> = shown.pairs().map(|(_, value)| value.to_owned()).collect();
            assert!(shown[0].starts_with("REDACTED:") && !shown[0].contains("secret"));
            assert_eq!(shown[1], "open");
        }
    }

    #[test]
    fn unknown_field_is_refused() {
        assert!(Redaction::parse("url").is_err());
        assert!(Redaction::parse("header[]").is_err());
    }
}
