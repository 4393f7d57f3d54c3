//! Unsubscribe links: each names one mail of the ledger and its recipient, and cannot be forged. They do not expire:
//! the link of an old mail must work, also after the ledger has deleted the mail. So the link contains the address,
//! encrypted.
//!
//! A token consists of three parts. The first is the ledger key, the second a synthetic initialisation vector (a MAC
//! over key and address, as in RFC 5297). The third is the address in AES-256-GCM under a key derived for this vector,
//! with the ledger key as associated data. The same mail always has the same link, because a provider with idempotency
//! keys compares the mail with the earlier one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::aead::{self, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::base::env;
use crate::base::hex::{hex, unhex};
use crate::base::secret::Secret;
use crate::protocol::mail::EmailAddress;

/// Separates the signatures of former links from other uses of the same secret.
const FORMER: &[u8] = b"unsubscribe";

/// Separates the derivation of vectors.
const VECTOR: &[u8] = b"unsubscribe vector";

/// Separates the derivation of keys.
const SEALING: &[u8] = b"unsubscribe address";

/// The bytes of a ledger key: a SHA-256.
const KEY: usize = 32;

/// The bytes of a vector, and of a former link's signature: too many to guess (NIST SP 800-107, section 5.3.3).
const SHORT: usize = 16;

/// The content of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The ledger key of the mail with the link.
    pub key: String,
    /// The recipient of that mail. Former links lack it: the ledger has it, as long as it keeps the mail.
    pub recipient: Option<EmailAddress>,
}

/// Writes and reads the tokens of unsubscribe links.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The first one signs, all are accepted.
    secrets: Vec<Secret>,
    page: String,
}

impl Tokens {
    /// Returns tokens signed with `TICKET_SECRET`, which also accept `TICKET_SECRET_NEXT`; their page is at
    /// `FUNCTIONS_URL`.
    pub fn from_env() -> Result<Self, env::Error> {
        let secrets = [
            Some(env::secret("TICKET_SECRET")?),
            env::optional_secret("TICKET_SECRET_NEXT")?,
        ];
        let functions = env::required("FUNCTIONS_URL")?;
        Ok(Self::new(
            secrets.into_iter().flatten().collect(),
            &functions,
        ))
    }

    /// Returns tokens signed with the first of the secrets, for the functions at this URL.
    #[must_use]
    pub fn new(secrets: Vec<Secret>, functions: &str) -> Self {
        Self {
            secrets,
            page: format!("{}/api/unsubscribe", functions.trim_end_matches('/')),
        }
    }

    /// Returns the link of the mail with this ledger key (64 hex digits) to this recipient. None if the key is invalid.
    #[must_use]
    pub fn link(&self, ledger_key: &str, recipient: &EmailAddress) -> Option<String> {
        let key = unhex(ledger_key).filter(|key| key.len() == KEY)?;
        let secret = self.secrets.first()?;
        let mut address = recipient.as_str().as_bytes().to_vec();
        let vector = vector(secret, &key, &address)?;
        let sealing = sealing_key(secret, &vector)?;
        let aad = Aad::from(key.as_slice());
        sealing
            .seal_in_place_append_tag(nonce(), aad, &mut address)
            .ok()?;
        let token = URL_SAFE_NO_PAD.encode([key, vector, address].concat());
        Some(format!("{}?token={token}", self.page))
    }

    /// Returns the content of a token, if it is valid.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<Link> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        if bytes.len() < KEY + SHORT {
            return None;
        }
        let (key, rest) = bytes.split_at(KEY);
        let (short, sealed) = rest.split_at(SHORT);
        // Every secret is tried, so that the time reveals nothing.
        let read: Vec<Option<EmailAddress>> = self
            .secrets
            .iter()
            .filter_map(|secret| {
                if sealed.is_empty() {
                    is_former(secret, key, short).then_some(None)
                } else {
                    opened(secret, key, short, sealed).map(Some)
                }
            })
            .collect();
        Some(Link {
            key: hex(key),
            recipient: read.into_iter().next()?,
        })
    }
}

/// Returns whether a former link, which is only signed, was made with this secret.
fn is_former(secret: &Secret, key: &[u8], signature: &[u8]) -> bool {
    let own = mac(secret, &[FORMER, key]);
    own.is_some_and(|own| own[..SHORT].ct_eq(signature).into())
}

/// Returns the address that was encrypted with this secret.
fn opened(secret: &Secret, key: &[u8], vector: &[u8], sealed: &[u8]) -> Option<EmailAddress> {
    let mut sealed = sealed.to_vec();
    let opening = sealing_key(secret, vector)?;
    let address = opening.open_in_place(nonce(), Aad::from(key), &mut sealed);
    let address = std::str::from_utf8(address.ok()?).ok()?;
    EmailAddress::parse(address).ok()
}

fn vector(secret: &Secret, key: &[u8], address: &[u8]) -> Option<Vec<u8>> {
    let mut vector = mac(secret, &[VECTOR, key, address])?;
    vector.truncate(SHORT);
    Some(vector)
}

/// Returns the key for one address.
fn sealing_key(secret: &Secret, vector: &[u8]) -> Option<LessSafeKey> {
    let key = mac(secret, &[SEALING, vector])?;
    UnboundKey::new(&AES_256_GCM, &key)
        .map(LessSafeKey::new)
        .ok()
}

/// Returns a constant nonce, because each key encrypts once.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; aead::NONCE_LEN])
}

fn mac(secret: &Secret, parts: &[&[u8]]) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Link, Tokens, mac};
    use crate::base::hex::unhex;
    use crate::base::secret::Secret;
    use crate::protocol::mail::EmailAddress;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn tokens(secrets: &[&str]) -> Tokens {
        let secrets = secrets.iter().map(|it| Secret::new((*it).to_owned()));
        Tokens::new(secrets.collect(), "https://functions.example.com/")
    }

    fn ann() -> EmailAddress {
        EmailAddress::parse("ann@example.com").unwrap()
    }

    fn token(tokens: &Tokens, key: &str) -> String {
        let link = tokens.link(key, &ann()).unwrap();
        let start = "https://functions.example.com/api/unsubscribe?token=";
        link.strip_prefix(start).unwrap().to_owned()
    }

    #[test]
    fn unsubscribe_link_is_read_only_with_a_known_secret() {
        let written = token(&tokens(&["a"]), KEY);
        let link = Some(Link {
            key: KEY.to_owned(),
            recipient: Some(ann()),
        });
        assert_eq!(tokens(&["a"]).read(&written), link);
        assert_eq!(tokens(&["b", "a"]).read(&written), link);
        assert_eq!(tokens(&["b"]).read(&written), None);
        assert_eq!(tokens(&["a"]).link("not a key", &ann()), None);
    }

    #[test]
    fn unsubscribe_link_is_deterministic_and_hides_the_address() {
        let written = token(&tokens(&["a"]), KEY);
        assert_eq!(written, token(&tokens(&["a"]), KEY));
        let bytes = URL_SAFE_NO_PAD.decode(&written).unwrap();
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!shown.contains("ann") && !shown.contains("example"));
    }

    #[test]
    fn former_link_is_read_and_leaves_the_recipient_to_the_ledger() {
        let key = unhex(KEY).unwrap();
        let signature = mac(&Secret::new("a".to_owned()), &[b"unsubscribe", &key]).unwrap();
        let former = URL_SAFE_NO_PAD.encode([&key, &signature[..16]].concat());
        let link = Link {
            key: KEY.to_owned(),
            recipient: None,
        };
        assert_eq!(tokens(&["a"]).read(&former), Some(link));
        assert_eq!(tokens(&["b"]).read(&former), None);
    }

    proptest! {
        #[test]
        fn changed_or_cut_token_is_refused(place in 0_usize..104, other in 0_usize..63, end in 0_usize..104) {
            let tokens = tokens(&["a"]);
            let written = token(&tokens, KEY);
            let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let mut changed = written.clone().into_bytes();
            let was = alphabet.iter().position(|it| *it == changed[place]).unwrap();
            changed[place] = alphabet[(was + 1 + other) % 64];
            prop_assert_eq!(tokens.read(std::str::from_utf8(&changed).unwrap()), None);
            prop_assert_eq!(tokens.read(&written[..end]), None);
        }

        #[test]
        fn arbitrary_text_is_refused_as_a_token(text in any::<String>()) {
            prop_assert_eq!(tokens(&["a"]).read(&text), None);
        }
    }
}
