//! Links by which a recipient unsubscribes: each names one mail of the ledger and is signed, so that nobody can write
//! one for somebody else. No address stands in them, and they do not expire: an old mail's link must work.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::base::env;
use crate::base::hex::{hex, unhex};
use crate::base::secret::Secret;

/// What sets these signatures apart from others by the same secret.
const PURPOSE: &[u8] = b"unsubscribe";

/// The bytes of a ledger key: a SHA-256.
const KEY: usize = 32;

/// The bytes of the signature that a link carries: enough that it cannot be guessed (NIST SP 800-107, section 5.3.3).
const SIGNATURE: usize = 16;

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
            env::optional("TICKET_SECRET_NEXT").map(Secret::new),
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

    /// The link of the mail with this ledger key (64 hex digits). The same mail has the same link, as a provider that
    /// compares what it was handed before demands. None if the key is not one.
    #[must_use]
    pub fn link(&self, ledger_key: &str) -> Option<String> {
        let key = unhex(ledger_key).filter(|key| key.len() == KEY)?;
        let signature = sign(self.secrets.first()?, &key)?;
        let token = URL_SAFE_NO_PAD.encode([key, signature].concat());
        Some(format!("{}?token={token}", self.page))
    }

    /// The ledger key that a token names, if its signature is ours.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        if bytes.len() != KEY + SIGNATURE {
            return None;
        }
        let (key, signature) = bytes.split_at(KEY);
        // Every secret is tried, so that the time tells nothing.
        let ours = self.secrets.iter().fold(false, |ours, secret| {
            ours | sign(secret, key).is_some_and(|own| own.ct_eq(signature).into())
        });
        ours.then(|| hex(key))
    }
}

fn sign(secret: &Secret, key: &[u8]) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(PURPOSE);
    mac.update(key);
    let mut signature = mac.finalize().into_bytes().to_vec();
    signature.truncate(SIGNATURE);
    Some(signature)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Tokens;
    use crate::base::secret::Secret;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn tokens(secrets: &[&str]) -> Tokens {
        let secrets = secrets.iter().map(|it| Secret::new((*it).to_owned()));
        Tokens::new(secrets.collect(), "https://functions.example.com/")
    }

    fn token(tokens: &Tokens, key: &str) -> String {
        let link = tokens.link(key).unwrap();
        let start = "https://functions.example.com/api/unsubscribe?token=";
        link.strip_prefix(start).unwrap().to_owned()
    }

    #[test]
    fn a_link_is_read_by_who_knows_the_secret_and_by_nobody_else() {
        let written = token(&tokens(&["a"]), KEY);
        assert_eq!(tokens(&["a"]).read(&written).as_deref(), Some(KEY));
        assert_eq!(tokens(&["b", "a"]).read(&written).as_deref(), Some(KEY));
        assert_eq!(tokens(&["b"]).read(&written), None);
        assert_eq!(tokens(&["a"]).link("not a key"), None);
    }

    proptest! {
        #[test]
        fn a_token_that_was_changed_is_not_read(place in 0_usize..64, other in 0_usize..63) {
            let tokens = tokens(&["a"]);
            let written = token(&tokens, KEY);
            let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let mut changed = written.clone().into_bytes();
            let was = alphabet.iter().position(|it| *it == changed[place]).unwrap();
            changed[place] = alphabet[(was + 1 + other) % 64];
            prop_assert_eq!(tokens.read(std::str::from_utf8(&changed).unwrap()), None);
        }

        #[test]
        fn what_is_no_token_is_not_read(text in any::<String>()) {
            prop_assert_eq!(tokens(&["a"]).read(&text), None);
        }
    }
}
