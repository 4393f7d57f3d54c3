//! Signs deliveries as QStash does, and in invalid ways.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use shared::base::clock::Clock;

/// A signer with one key.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    key: String,
}

impl Signer {
    pub(crate) fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
        }
    }

    /// Returns the token of a delivery of `body` to `url`, as QStash would sign it now.
    pub(crate) fn sign(&self, url: &str, body: &[u8]) -> String {
        self.token(&json!({ "alg": "HS256", "typ": "JWT" }), &claims(url, body))
    }

    /// Returns a token of any header and any claims.
    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        self.seal(&header.to_string(), &claims.to_string())
    }

    /// Returns a token of any two texts, JSON or not.
    pub(crate) fn seal(&self, header: &str, claims: &str) -> String {
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
        let signed = format!("{header}.{claims}");
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_bytes()).unwrap();
        mac.update(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        format!("{signed}.{signature}")
    }
}

/// Returns the claims of a delivery.
pub(crate) fn claims(url: &str, body: &[u8]) -> Value {
    let now = Clock::system().now().as_second();
    json!({
        "iss": "Upstash",
        "sub": url,
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "jti": "jwt_test",
        "body": URL_SAFE.encode(Sha256::digest(body)),
    })
}
