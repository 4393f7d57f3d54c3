//! Authorization of a call: the API key, and the required `User-Agent` header.
//!
//! <https://resend.com/docs/api-reference/introduction>.

use http::HeaderMap;
use http::header::{AUTHORIZATION, USER_AGENT};

use super::refusal::{Code, Refusal};

/// Checks the headers of any call.
pub(super) fn check(headers: &HeaderMap, key: &str) -> Result<(), Refusal> {
    if !headers.contains_key(USER_AGENT) {
        return Err(Code::MissingUserAgent.into());
    }
    let given = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.strip_prefix("Bearer "))
        .map(str::trim)
        .filter(|given| !given.is_empty());
    match given {
        None => Err(Code::MissingApiKey.into()),
        Some(given) if given == key => Ok(()),
        Some(_) => Err(Code::InvalidApiKey.into()),
    }
}
