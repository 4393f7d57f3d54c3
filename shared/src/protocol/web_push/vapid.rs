//! The sender of a message (RFC 8292): a token for each push service, signed with the application's key.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::error::{KeyRejected, Unspecified};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::json;

use super::subscription::decoded;
use crate::base::secret::Secret;

/// The validity of a token: half of the maximum that push services allow.
const LIFE: SignedDuration = SignedDuration::from_hours(12);

/// The key pair of the application, and the contact for push services. Cheap to clone.
#[derive(Clone)]
pub struct Vapid {
    pair: Arc<EcdsaKeyPair>,
    public: String,
    contact: String,
}

/// Why a key pair is invalid. It does not quote the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Not the base64url text of a P-256 point (65 bytes) or of a number (32 bytes).
    #[error("must be the base64url of a P-256 key")]
    Shape,
    /// The public key does not match the private one.
    #[error("must belong to the other VAPID key")]
    Pair,
}

impl From<KeyRejected> for InvalidKey {
    fn from(_: KeyRejected) -> Self {
        Self::Pair
    }
}

impl Vapid {
    /// Returns a pair in the usual format: the public key is the uncompressed point, the private one the number, each
    /// in base64url. `contact` is a URL (`https:` or `mailto:`).
    pub fn new(public: &str, private: &Secret, contact: &str) -> Result<Self, InvalidKey> {
        let point = decoded::<65>(public).ok_or(InvalidKey::Shape)?;
        let number = decoded::<32>(private.expose()).ok_or(InvalidKey::Shape)?;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &number,
            &point,
            &SystemRandom::new(),
        )?;
        Ok(Self {
            pair: Arc::new(pair),
            public: URL_SAFE_NO_PAD.encode(point),
            contact: contact.to_owned(),
        })
    }

    /// Returns the value of `Authorization` for messages to the push service with this origin.
    pub(super) fn authorization(
        &self,
        origin: &str,
        now: Timestamp,
    ) -> Result<String, Unspecified> {
        let header = json!({ "typ": "JWT", "alg": "ES256" });
        let claims = json!({
            "aud": origin,
            "exp": (now + LIFE).as_second(),
            "sub": self.contact,
        });
        let [header, claims] =
            [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes())?;
        let signature = URL_SAFE_NO_PAD.encode(signature);
        Ok(format!("vapid t={signed}.{signature}, k={}", self.public))
    }
}

impl fmt::Debug for Vapid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vapid({})", self.public)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use serde_json::Value;

    use super::{InvalidKey, Vapid, decoded};
    use crate::base::secret::Secret;

    /// The pair of RFC 8291's example.
    const PUBLIC: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const PRIVATE: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";

    fn vapid(public: &str, private: &str) -> Result<Vapid, InvalidKey> {
        Vapid::new(
            public,
            &Secret::new(private.to_owned()),
            "https://app.example.com",
        )
    }

    #[test]
    fn vapid_token_names_the_push_service_and_is_signed() {
        let vapid = vapid(PUBLIC, PRIVATE).unwrap();
        let value = vapid
            .authorization("https://push.example.com", Timestamp::UNIX_EPOCH)
            .unwrap();
        let token = value.strip_prefix("vapid t=").unwrap();
        let (token, key) = token.split_once(", k=").unwrap();
        assert_eq!(key, PUBLIC);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decoded::<65>(key).unwrap())
            .verify(signed.as_bytes(), &decoded::<64>(signature).unwrap())
            .unwrap();
        let (_, claims) = signed.split_once('.').unwrap();
        let claims = base64::Engine::decode(&super::URL_SAFE_NO_PAD, claims).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["aud"], "https://push.example.com");
        assert_eq!(claims["exp"], 43_200);
        assert_eq!(claims["sub"], "https://app.example.com");
    }

    #[test]
    fn mismatched_vapid_keys_are_refused() {
        let other = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
        assert_eq!(vapid(other, PRIVATE).unwrap_err(), InvalidKey::Pair);
        for (public, private) in [("", PRIVATE), (PUBLIC, ""), (PUBLIC, PUBLIC), ("%", "%")] {
            assert_eq!(vapid(public, private).unwrap_err(), InvalidKey::Shape);
        }
    }

    #[test]
    fn private_key_is_not_printed() {
        let printed = format!("{:?}", vapid(PUBLIC, PRIVATE).unwrap());
        assert!(!printed.contains(PRIVATE), "{printed}");
    }
}
