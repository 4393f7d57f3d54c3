//! The JWT in `Upstash-Signature` of every delivery.
//!
//! HS256 with the whole `sig_...` text as key; the claims of <https://upstash.com/docs/qstash/howto/signature>. `nbf`
//! is 0, as at the real server, so that a receiver whose clock is behind still accepts.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The lifetime of a signature, in seconds.
const LIFETIME_SECONDS: u64 = 300;

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'static str,
    sub: &'a str,
    exp: u64,
    nbf: u64,
    iat: u64,
    jti: String,
    body: String,
}

/// Returns the token of a delivery of `body` to `url` at `wall_ms`, Unix time in milliseconds. Every attempt needs a
/// new one.
pub fn sign(key: &str, url: &str, body: &[u8], wall_ms: u64) -> Result<String, serde_json::Error> {
    let issued = wall_ms / 1_000;
    let claims = Claims {
        iss: "Upstash",
        sub: url,
        exp: issued + LIFETIME_SECONDS,
        nbf: 0,
        iat: issued,
        jti: format!("jwt_{}", Uuid::new_v4().simple()),
        // The real server keeps the padding; verifiers strip it on both sides.
        body: URL_SAFE.encode(Sha256::digest(body)),
    };
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let signed = format!(
        "{header}.{}",
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims)?)
    );
    Ok(format!(
        "{signed}.{}",
        URL_SAFE_NO_PAD.encode(mac(key.as_bytes(), signed.as_bytes()))
    ))
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    // A key of any length is valid; the error type exists for ciphers.
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        },
    )
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn claims(token: &str) -> Value {
        let payload = token.split('.').nth(1).expect("three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
    }

    #[test]
    fn mac_matches_rfc_4231() {
        let expected = URL_SAFE_NO_PAD
            .decode("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM")
            .expect("base64url");
        assert_eq!(mac(b"Jefe", b"what do ya want for nothing?"), expected);
    }

    #[test]
    fn claims_hold_the_exact_url_and_the_hash_even_of_an_empty_body() {
        let token =
            sign("sig_x", "https://example.com/a?b=c", b"", 1_700_000_000_999).expect("signs");
        let claims = claims(&token);
        assert_eq!(claims["sub"], "https://example.com/a?b=c");
        assert_eq!(
            claims["body"],
            "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU="
        );
        assert_eq!(claims["exp"], 1_700_000_300);
    }

    #[test]
    fn attempts_never_share_a_token() {
        let sign = || sign("sig_x", "https://example.com", b"x", 1).expect("signs");
        assert_ne!(sign(), sign());
    }
}
