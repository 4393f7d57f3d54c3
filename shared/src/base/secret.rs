//! Secrets: strings that are never printed and are compared in constant time.

use std::fmt;

use subtle::ConstantTimeEq;

/// A secret. `Debug` prints `[redacted]`, there is no `Display`, and a comparison takes the same time for all values of
/// one length.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// Returns the secret itself. Pass it only to the external service that requires it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns whether `candidate` is this secret. The time does not depend on the position of the difference.
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
