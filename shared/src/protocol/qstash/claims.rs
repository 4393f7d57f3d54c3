//! The claims of a delivery's token (RFC 7519, section 4.1), and QStash's own: `body`, the SHA-256 of the body.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::form_urlencoded;

use super::receiver::LEEWAY;
use super::token::{Part, SignatureError};

/// base64url with or without padding: the service pads the hash, and the SDKs compare it without.
const PADDING_OPTIONAL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The claims. Instants are Unix seconds.
#[derive(Deserialize)]
pub(super) struct Claims<'a> {
    #[serde(borrow)]
    iss: Option<Cow<'a, str>>,
    #[serde(borrow)]
    sub: Option<Cow<'a, str>>,
    exp: Option<i64>,
    nbf: Option<i64>,
    iat: Option<i64>,
    #[serde(borrow)]
    body: Option<Cow<'a, str>>,
}

impl<'a> Claims<'a> {
    pub(super) fn parse(json: &'a [u8]) -> Result<Self, SignatureError> {
        serde_json::from_slice(json).map_err(|_| SignatureError::Malformed(Part::Claims))
    }

    /// Errors unless Upstash issued the token for `base` followed by `path`, compared character by character. Queries
    /// are compared after decoding: an HTTP API may rewrite one.
    pub(super) fn check_parties(&self, base: &str, path: &str) -> Result<(), SignatureError> {
        if required(self.iss.as_deref(), "iss")? != "Upstash" {
            return Err(SignatureError::Issuer);
        }
        let subject = required(self.sub.as_deref(), "sub")?;
        match subject.strip_prefix(base) {
            Some(target) if is_same(target, path) => Ok(()),
            _ => Err(SignatureError::Subject),
        }
    }

    /// Errors unless `now` is between `nbf` and `exp`. QStash sets `nbf` to 0 or to the time of issue.
    pub(super) fn check_time(&self, now: Timestamp) -> Result<(), SignatureError> {
        let (now, leeway) = (now.as_second(), LEEWAY.as_secs().cast_signed());
        if now >= required(self.exp, "exp")?.saturating_add(leeway) {
            return Err(SignatureError::Expired);
        }
        let begin = self.nbf.max(self.iat);
        if begin.is_some_and(|begin| begin > now.saturating_add(leeway)) {
            return Err(SignatureError::NotYetValid);
        }
        Ok(())
    }

    /// Errors unless the token is for `body`.
    pub(super) fn check_body(&self, body: &[u8]) -> Result<(), SignatureError> {
        let encoded = required(self.body.as_deref(), "body")?;
        let mut claimed = [0; 36];
        let length = PADDING_OPTIONAL
            .decode_slice(encoded, &mut claimed)
            .map_err(|_| SignatureError::Body)?;
        let actual = Sha256::digest(body);
        if claimed[..length].ct_eq(actual.as_slice()).into() {
            Ok(())
        } else {
            Err(SignatureError::Body)
        }
    }
}

/// Returns whether two targets are equal: the path as written, the query as its decoded pairs in order.
fn is_same(one: &str, other: &str) -> bool {
    let parts = |target| {
        str::split_once(target, '?').map_or((target, None), |(path, query)| (path, Some(query)))
    };
    let ((path, query), (other_path, other_query)) = (parts(one), parts(other));
    let pairs = |query: &str| {
        form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect::<Vec<_>>()
    };
    path == other_path && query.map(pairs) == other_query.map(pairs)
}

fn required<T>(claim: Option<T>, name: &'static str) -> Result<T, SignatureError> {
    claim.ok_or(SignatureError::MissingClaim(name))
}
