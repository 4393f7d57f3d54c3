//! The requested format of replies: `Upstash-Encoding` and `Upstash-Response-Format`.

use hyper::HeaderMap;

use crate::malformed::Malformed;

/// The format of replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// JSON with strings as text; bytes that are not UTF-8 become U+FFFD.
    Text,
    /// JSON with strings in base64, which preserves every byte.
    Base64,
    /// The bytes from Redis, unchanged.
    Resp2,
}

impl Format {
    /// Returns the format that the request's headers select.
    pub(crate) fn parse(headers: &HeaderMap) -> Result<Self, Malformed> {
        let value = |name| {
            headers
                .get(name)
                .map(|value| value.as_bytes().to_ascii_lowercase())
        };
        let base64 = match value("upstash-encoding").as_deref() {
            None => false,
            Some(b"base64") => true,
            Some(_) => return Err(Malformed::Encoding),
        };
        match (value("upstash-response-format").as_deref(), base64) {
            (None | Some(b"json"), false) => Ok(Self::Text),
            (None | Some(b"json"), true) => Ok(Self::Base64),
            (Some(b"resp2"), false) => Ok(Self::Resp2),
            (Some(b"resp2"), true) => Err(Malformed::EncodedResp2),
            (Some(_), _) => Err(Malformed::ResponseFormat),
        }
    }

    /// Returns the format for a transaction, which is always JSON.
    pub(crate) fn of_transaction(self) -> Self {
        if self == Self::Resp2 {
            Self::Text
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(headers: &[(&'static str, &'static str)]) -> Result<Format, String> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        Format::parse(&headers.collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn json_is_the_default_and_resp2_excludes_base64() {
        assert_eq!(parse(&[]), Ok(Format::Text));
        assert_eq!(parse(&[("upstash-encoding", "base64")]), Ok(Format::Base64));
        assert_eq!(
            parse(&[("upstash-response-format", "resp2")]),
            Ok(Format::Resp2)
        );
        assert!(
            parse(&[
                ("upstash-response-format", "resp2"),
                ("upstash-encoding", "base64")
            ])
            .is_err()
        );
        assert!(parse(&[("upstash-response-format", "resp3")]).is_err());
        assert!(parse(&[("upstash-encoding", "gzip")]).is_err());
    }
}
