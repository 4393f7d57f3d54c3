//! Verifies the sender's token (RFC 8292) as push services do.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde::Deserialize;

/// The longest lifetime of a token, in seconds (RFC 8292 section 2).
const MAX_LIFETIME: i64 = 24 * 60 * 60;

#[derive(Deserialize)]
struct Claims {
    aud: String,
    exp: i64,
    sub: String,
}

/// Why a token is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("Authorization must be: vapid t=TOKEN, k=KEY")]
    Shape,
    #[error("the signature does not match the key")]
    Signature,
    #[error("the token is for another push service")]
    Audience,
    #[error("the token has expired or is valid for more than a day")]
    Expiry,
    #[error("the token names no contact (sub)")]
    Subject,
}

/// Checks the value of `Authorization` for the push service at `origin`.
pub(crate) fn check(authorization: &str, origin: &str, now: Timestamp) -> Result<(), Refused> {
    let parts = authorization.strip_prefix("vapid t=");
    let (token, key) = parts
        .and_then(|parts| parts.split_once(", k="))
        .ok_or(Refused::Shape)?;
    let (signed, signature) = token.rsplit_once('.').ok_or(Refused::Shape)?;
    let (_, claims) = signed.split_once('.').ok_or(Refused::Shape)?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decoded(key)?)
        .verify(signed.as_bytes(), &decoded(signature)?)
        .map_err(|_| Refused::Signature)?;
    let claims: Claims = serde_json::from_slice(&decoded(claims)?).map_err(|_| Refused::Shape)?;
    if claims.aud != origin {
        return Err(Refused::Audience);
    }
    let left = claims.exp - now.as_second();
    if !(1..=MAX_LIFETIME).contains(&left) {
        return Err(Refused::Expiry);
    }
    let names_somebody = ["https:", "http:", "mailto:"]
        .iter()
        .any(|scheme| claims.sub.starts_with(scheme));
    names_somebody.then_some(()).ok_or(Refused::Subject)
}

fn decoded(text: &str) -> Result<Vec<u8>, Refused> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Refused::Shape)
}
