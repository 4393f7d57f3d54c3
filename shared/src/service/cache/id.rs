//! Whom or what an entry is about, in the one spelling under which it is cached.
//!
//! Invalidations name rows as the database spells them. An id that could be cached under a second spelling would
//! outlive them there, so each is brought into the database's own before it becomes part of a key.

use uuid::Uuid;

/// The longest id that is looked for, in characters.
const MAX_LEN: usize = 320;

/// What the ids of a kind name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A user, who sees the entry.
    User,
    /// A signing request, which its owner, administrators of the owner's domain and its signers see.
    Request,
    /// A domain, whose administrators see the entry.
    Domain,
}

/// An id in its one spelling: a user's or a request's as lower-case text with hyphens where it is a UUID, a domain in
/// lower case as far as ASCII goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id(String);

impl Id {
    /// The id of a subject, if there can be one of this text: 1 to 320 characters without NUL.
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

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the database can know it: its users and requests are UUIDs.
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
