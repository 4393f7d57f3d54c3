//! Families of Redis keys. Each is declared once, beside the service that owns it, with its type and its life.
//!
//! `docs/KEYS.md` lists them all; a test compares that page with [`super::KEYS`].

/// A family of keys: one pattern, one type, one life.
#[derive(Debug)]
pub struct Family {
    /// The pattern, with its variable part in braces: `job:{jobId}`.
    pub pattern: &'static str,
    /// The Redis type.
    pub kind: &'static str,
    /// When a key expires, or what bounds it if it does not.
    pub life: &'static str,
}

impl Family {
    /// Returns the key of one member.
    #[must_use]
    pub fn key(&self, id: &str) -> String {
        let fixed = self.pattern.split('{').next().unwrap_or_default();
        let mut key = String::with_capacity(fixed.len() + id.len());
        key.push_str(fixed);
        key.push_str(id);
        key
    }
}
