//! Links by which a recipient unsubscribes: each names one mail of the ledger and its recipient, and nobody else can
//! write one. They do not expire: an old mail's link must work, also when the ledger has forgotten the mail. So the
//! address stands in the link, encrypted.
//!
//! A token is the ledger key, a synthetic initialisation vector (a MAC over key and address, RFC 5297's idea), and the
//! address in AES-256-GCM under a key that is derived for this vector alone, with the ledger key as associated data. The
//! same mail has the same link: a provider that compares what it was handed before demands that.

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

/// What sets the signatures of former links apart from others by the same secret.
const FORMER: &[u8] = b"unsubscribe";

/// The same for vectors.
const VECTOR: &[u8] = b"unsubscribe vector";

/// The same for keys.
const SEALING: &[u8] = b"unsubscribe address";

/// The bytes of a ledger key: a SHA-256.
const KEY: usize = 32;

/// The bytes of a vector, and of a former link's signature: enough that it cannot be guessed (NIST SP 800-107, section
/// 5.3.3).
const SHORT: usize = 16;

/// What a link says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The ledger key of the mail that it stands in.
    pub key: String,
    /// Who that mail went to. Links of before did not say it: the ledger knows, as long as it keeps the mail.
    pub recipient: Option<EmailAddress>,
}

/// Writes and reads the tokens of such links.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The first one signs, all are believed.
    secrets: Vec<Secret>,
    page: String,
}

impl Tokens {
    /// Tokens signed with `TICKET_SECRET`, and believed with `TICKET_SECRET_NEXT` as well; their page is that of
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

    /// Tokens signed with the first of the secrets, for the functions at this URL.
    #[must_use]
    pub fn new(secrets: Vec<Secret>, functions: &str) -> Self {
        Self {
            secrets,
            page: format!("{}/api/unsubscribe", functions.trim_end_matches('/')),
        }
    }

    /// The link of the mail with this ledger key (64 hex digits) to this recipient. None if the key is not one.
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

    /// What a token says, if it was written here.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<Link> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        if bytes.len() < KEY + SHORT {
            return None;
        }
        let (key, rest) = bytes.split_at(KEY);
        let (short, sealed) = rest.split_at(SHORT);
        // Every secret is tried, so that the time tells nothing.
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

/// Whether a link of before, which is only signed, was made with this secret.
fn is_former(secret: &Secret, key: &[u8], signature: &[u8]) -> bool {
    let own = mac(secret, &[FORMER, key]);
    own.is_some_and(|own| own[..SHORT].ct_eq(signature).into())
}

/// The address that was sealed with this secret.
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

/// A key for one address alone.
fn sealing_key(secret: &Secret, vector: &[u8]) -> Option<LessSafeKey> {
    let key = mac(secret, &[SEALING, vector])?;
    UnboundKey::new(&AES_256_GCM, &key)
        .map(LessSafeKey::new)
        .ok()
}

/// Each key seals once, so its nonce may always be the same.
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
