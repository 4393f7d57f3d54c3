//! Strings that must not be printed and are compared in constant time.

use std::fmt;

use subtle::ConstantTimeEq;

/// A secret: `Debug` shows `[redacted]`, there is no `Display`, and equality takes the same time for every content
/// of one length.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes the secret in.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret itself, to be handed to the outside and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `candidate` is this secret, in time that does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, candidate: &str) -> bool {
        self.0.as_bytes().ct_eq(candidate.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("hush".into())), "[redacted]");
    }

    #[test]
    fn prefix_does_not_match_the_secret() {
        let secret = Secret::new("hush".into());
        assert!(secret.matches("hush"));
        assert!(!secret.matches("hus"));
        assert!(!secret.matches("husk"));
    }
}
