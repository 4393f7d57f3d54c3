//! Signatures of Resend's webhooks, which use Svix: HMAC-SHA256 over id, time and body.
//!
//! <https://docs.svix.com/receiving/verifying-payloads/how-manual>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The prefix of a secret; base64 follows.
const PREFIX: &str = "whsec_";

/// The secret is not `whsec_` and base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the webhook secret must be whsec_ followed by base64")]
pub struct BadSecret;

/// A webhook's key.
#[derive(Clone)]
pub struct Key(Vec<u8>);

impl Key {
    /// Parses a secret as Resend shows it: `whsec_...`.
    pub fn parse(secret: &str) -> Result<Self, BadSecret> {
        let base64 = secret.strip_prefix(PREFIX).ok_or(BadSecret)?;
        let key = STANDARD.decode(base64).map_err(|_| BadSecret)?;
        if key.is_empty() {
            return Err(BadSecret);
        }
        Ok(Self(key))
    }

    /// Returns the `svix-signature` of a body: one version-1 signature. `seconds` is the value of `svix-timestamp`,
    /// Unix time.
    pub fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> Result<String, BadSecret> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(|_| BadSecret)?;
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        Ok(format!("v1,{signature}"))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key([redacted])")
    }
}

/// Returns a secret of a webhook's form, derived from a text.
#[must_use]
pub fn secret_of(text: &str) -> String {
    format!("{PREFIX}{}", STANDARD.encode(text))
}

#[cfg(test)]
mod tests {
    use super::{BadSecret, Key, secret_of};

    /// The example of Svix's documentation.
    #[test]
    fn documented_example_gets_the_documented_signature() {
        let key = Key::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = key
            .sign(
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                b"{\"test\": 2432232314}",
            )
            .unwrap();
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn malformed_secret_is_refused() {
        for bad in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%"] {
            assert_eq!(Key::parse(bad).unwrap_err(), BadSecret, "{bad}");
        }
        Key::parse(&secret_of("anything")).unwrap();
    }
}
