//! The access rights of a caller, by the token in the header or in the query.

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use percent_encoding::percent_decode_str;
use subtle::{Choice, ConstantTimeEq};

use crate::settings::Settings;

/// The rights of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// All commands that Upstash offers.
    Standard,
    /// Commands that only read.
    ReadOnly,
}

/// The two tokens of the database.
pub(crate) struct Tokens {
    standard: String,
    read_only: String,
}

impl Tokens {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            standard: settings.token.clone(),
            read_only: settings.read_only_token.clone(),
        }
    }

    /// Returns the rights of a request, by its `Authorization: Bearer` header or, if that is absent, its `_token`
    /// parameter.
    pub(crate) fn authorize(&self, headers: &HeaderMap, query: Option<&str>) -> Option<Access> {
        match headers.get(AUTHORIZATION) {
            Some(header) => self.access_of(bearer(header.as_bytes())?),
            None => self.access_of(&token_parameter(query?)?),
        }
    }

    /// Compares with both tokens in constant time, so that timing reveals neither.
    fn access_of(&self, token: &[u8]) -> Option<Access> {
        let standard = equal(token, self.standard.as_bytes());
        let read_only = equal(token, self.read_only.as_bytes());
        match (bool::from(standard), bool::from(read_only)) {
            (true, _) => Some(Access::Standard),
            (false, true) => Some(Access::ReadOnly),
            (false, false) => None,
        }
    }
}

fn equal(given: &[u8], expected: &[u8]) -> Choice {
    let configured = Choice::from(u8::from(!expected.is_empty()));
    given.ct_eq(expected) & configured
}

fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(b"Bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"Bearer ")
        .then(|| token.trim_ascii())
}

fn token_parameter(query: &str) -> Option<Vec<u8>> {
    let token = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("_token="))?;
    Some(percent_decode_str(token).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(standard: &str, read_only: &str) -> Tokens {
        Tokens {
            standard: standard.into(),
            read_only: read_only.into(),
        }
    }

    fn with_header(tokens: &Tokens, value: &str) -> Option<Access> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
        tokens.authorize(&headers, None)
    }

    #[test]
    fn each_token_gives_its_own_rights_and_no_other_gives_any() {
        let tokens = tokens("full", "read");
        assert_eq!(with_header(&tokens, "Bearer full"), Some(Access::Standard));
        assert_eq!(with_header(&tokens, "bearer read"), Some(Access::ReadOnly));
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            "full",
            "Basic full",
            "Bearer ful",
            "Bearer fulll",
        ] {
            assert_eq!(with_header(&tokens, wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn empty_read_only_token_gives_no_access() {
        let tokens = tokens("full", "");
        assert_eq!(with_header(&tokens, "Bearer "), None);
        assert_eq!(tokens.authorize(&HeaderMap::new(), Some("_token=")), None);
    }

    #[test]
    fn percent_encoded_token_in_the_query_is_accepted() {
        let access = tokens("a b=", "").authorize(&HeaderMap::new(), Some("EX=1&_token=a%20b="));
        assert_eq!(access, Some(Access::Standard));
    }

    #[test]
    fn wrong_header_is_refused_despite_a_right_query() {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, "Bearer no".parse().unwrap())]);
        assert_eq!(
            tokens("full", "").authorize(&headers, Some("_token=full")),
            None
        );
    }
}
