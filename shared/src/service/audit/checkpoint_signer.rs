//! The signing key of checkpoints. The database does not have it: write access to every table is not enough to forge a
//! checkpoint for missing events.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::base::env;
use crate::base::hex::hex;
use crate::base::secret::Secret;

/// A prefix of the signed text, so that no other use of the key gives the same signature.
const PURPOSE: &[u8] = b"signtusk audit checkpoint\n";

/// Signs checkpoints, and verifies their signatures.
#[derive(Clone, Debug)]
pub struct CheckpointSigner {
    current: Secret,
    former: Option<Secret>,
}

impl CheckpointSigner {
    /// Returns a signer with `AUDIT_KEY`; signatures of `AUDIT_KEY_FORMER` are accepted too.
    pub fn from_env() -> Result<Self, env::Error> {
        Ok(Self::new(
            env::secret("AUDIT_KEY")?,
            env::optional_secret("AUDIT_KEY_FORMER")?,
        ))
    }

    /// Returns a signer with these keys.
    #[must_use]
    pub fn new(current: Secret, former: Option<Secret>) -> Self {
        Self { current, former }
    }

    /// Returns the HMAC-SHA-256 of a text under the current key, in hex.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        hex(&mac(&self.current, text))
    }

    /// Returns whether one of the keys signed the text.
    #[must_use]
    pub fn signed(&self, text: &str, signature: &str) -> bool {
        let given = Secret::new(signature.to_owned());
        let by = |key: &Secret| given.matches(&hex(&mac(key, text)));
        by(&self.current) | self.former.as_ref().is_some_and(by)
    }
}

fn mac(key: &Secret, text: &str) -> Vec<u8> {
    // HMAC accepts keys of any length, so this default is never used.
    Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(PURPOSE);
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::CheckpointSigner;
    use crate::base::secret::Secret;

    #[test]
    fn signature_of_another_key_or_text_is_refused() {
        let key = |text: &str| Secret::new(text.to_owned());
        let old = CheckpointSigner::new(key("old"), None);
        let new = CheckpointSigner::new(key("new"), Some(key("old")));
        let signature = old.sign("{}");
        assert!(old.signed("{}", &signature) && new.signed("{}", &signature));
        assert!(!CheckpointSigner::new(key("new"), None).signed("{}", &signature));
        assert!(!old.signed("{ }", &signature));
        assert!(!old.signed("{}", ""));
    }
}
