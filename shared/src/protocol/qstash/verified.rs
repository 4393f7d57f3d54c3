//! A verified body: only this type can be decoded into a job.

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::base::pointer::pointer;

/// The body of a delivery with a valid signature. Only [`super::Receiver::verify`] creates one.
#[derive(Clone)]
pub struct Verified {
    body: Bytes,
}

/// A body that is not the expected JSON.
///
/// The source's text may quote a value of the body; the pointer quotes only names.
#[derive(Debug, thiserror::Error)]
#[error("invalid body at {pointer:?}")]
pub struct DecodeError {
    /// The place, as a JSON pointer (RFC 6901); empty for the whole body.
    pub pointer: String,
    /// The error at that place.
    #[source]
    pub source: serde_json::Error,
}

impl Verified {
    pub(super) fn new(body: Bytes) -> Self {
        Self { body }
    }

    /// Returns the raw body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Decodes the body as JSON of type `T`, with no trailing data.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        let mut json = serde_json::Deserializer::from_slice(&self.body);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| DecodeError {
            pointer: pointer(error.path()),
            source: error.into_inner(),
        })?;
        json.end().map_err(|source| DecodeError {
            pointer: String::new(),
            source,
        })?;
        Ok(value)
    }
}

/// Shows the length, not the content.
impl std::fmt::Debug for Verified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Verified({} bytes)", self.body.len())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use bytes::Bytes;
    use serde::Deserialize;

    use super::Verified;

    #[derive(Debug, Deserialize)]
    struct Job {
        emails: Vec<HashMap<String, u8>>,
    }

    fn pointer_of(body: &'static [u8]) -> String {
        let verified = Verified::new(Bytes::from_static(body));
        verified.decode::<Job>().expect_err("a bad body").pointer
    }

    #[test]
    fn invalid_field_is_named_by_its_pointer() {
        assert_eq!(
            pointer_of(br#"{"emails":[{"a/b~c":"x"}]}"#),
            "/emails/0/a~1b~0c"
        );
        assert_eq!(pointer_of(br#"{"emails":[{},{"a":300}]}"#), "/emails/1/a");
        assert_eq!(pointer_of(b"{}"), "");
    }

    #[test]
    fn malformed_body_or_trailing_data_is_refused() {
        let bad: [&'static [u8]; 5] =
            [b"", b"\xff", b"[]", br#"{"emails":[]} x"#, b"{\"emails\":["];
        for body in bad {
            let verified = Verified::new(Bytes::from_static(body));
            assert!(verified.decode::<Job>().is_err(), "{body:?}");
        }
        let verified = Verified::new(Bytes::from_static(br#"{"emails":[]}"#));
        assert!(verified.decode::<Job>().expect("a job").emails.is_empty());
    }

    #[test]
    fn verified_body_is_not_printed() {
        let verified = Verified::new(Bytes::from_static(b"hush"));
        assert_eq!(format!("{verified:?}"), "Verified(4 bytes)");
    }
}
