//! One database of a cluster, with the URLs of its two roles.

use std::fmt;

use super::Error;
use super::role::Passwords;

/// The longest name that PostgreSQL does not truncate.
const MAX_NAME: usize = 63;

/// The URLs of a database. They contain passwords and are not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Database {
    /// The URL for the functions: `DATABASE_URL`.
    pub functions_url: String,
    /// The URL for the owning role: `MIGRATIONS_DATABASE_URL`.
    pub owner_url: String,
}

impl Database {
    pub(super) fn new(name: &str, port: u16, passwords: &Passwords) -> Result<Self, Error> {
        let legal = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        let starts_well =
            name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
        if !starts_well || name.len() > MAX_NAME || !name.bytes().all(legal) {
            return Err(Error::Name(name.to_owned()));
        }
        Ok(Self {
            functions_url: passwords.functions_url(port, name),
            owner_url: passwords.owner_url(port, name),
        })
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Database { [redacted] }")
    }
}
