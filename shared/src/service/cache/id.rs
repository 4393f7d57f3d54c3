//! The id of an entry, in one canonical spelling.
//!
//! Invalidations name rows as the database spells them. An entry under a second spelling would survive them. So each id
//! is converted to the database's spelling before it becomes part of a key.

use uuid::Uuid;

/// The longest id that is looked up, in characters.
const MAX_LEN: usize = 320;

/// The subject of a kind's ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A user, who may see the entry.
    User,
    /// A signing request. Its owner, administrators of the owner's domain and its signers may see it.
    Request,
    /// A domain, whose administrators may see the entry.
    Domain,
}

/// An id in its canonical spelling. A user or request that is a UUID is lower-case text with hyphens; a domain has
/// lower-case ASCII letters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id(String);

impl Id {
    /// Returns the id of a subject, if the text is valid: 1 to 320 characters without NUL.
    #[must_use]
    pub fn of(subject: Subject, text: &str) -> Option<Self> {
        if !(1..=MAX_LEN).contains(&text.chars().count()) || text.contains('\0') {
            return None;
        }
        Some(Self(match subject {
            Subject::Domain => text.to_ascii_lowercase(),
            Subject::User | Subject::Request => {
                Uuid::try_parse(text).map_or_else(|_| text.to_owned(), |id| id.to_string())
            }
        }))
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the database can contain it: its users and requests are UUIDs.
    pub(super) fn may_exist(&self, subject: Subject) -> bool {
        subject == Subject::Domain || Uuid::try_parse(&self.0).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{Id, Subject};

    #[test]
    fn id_has_one_key_in_every_spelling() {
        let id = "01985c00-0000-7000-8000-00000000000a";
        for spelling in [
            id.to_uppercase(),
            id.replace('-', ""),
            format!("{{{id}}}"),
            format!("urn:uuid:{id}"),
        ] {
            let read = Id::of(Subject::User, &spelling).unwrap();
            assert_eq!(read.as_str(), id, "{spelling}");
        }
        let domain = Id::of(Subject::Domain, "Acme.Example").unwrap();
        assert_eq!(domain.as_str(), "acme.example");
    }

    #[test]
    fn invalid_id_has_no_key() {
        for text in ["", "a\0b", &"x".repeat(321)] {
            assert_eq!(Id::of(Subject::User, text), None, "{text:?}");
        }
        let id = Id::of(Subject::Request, "no uuid").unwrap();
        assert!(!id.may_exist(Subject::Request));
    }
}
