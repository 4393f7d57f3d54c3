//! One cache entry: a value, its generation, and the users who may see it.

use std::fmt;

use serde::Deserialize;

use super::id::{Id, Subject};
use crate::protocol::upstash::{self, FromReply as _, Reply};

/// The generation of an entry. Each fill and each put creates a new one; an invalidation ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation(pub(super) String);

impl Generation {
    /// Returns the generation that a caller has read. An invalid text matches no generation.
    #[must_use]
    pub fn claimed(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An entry read from the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub(super) generation: Generation,
    pub(super) loaded: Loaded,
}

/// The database's content for an id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// A JSON object as text; absent if the id does not exist.
    pub(super) value: Option<String>,
    /// The users who may see a request, as JSON text: [`Parties`].
    pub(super) parties: Option<String>,
}

impl Loaded {
    /// Returns the texts that the scripts write: empty if absent.
    pub(super) fn texts(&self) -> [&str; 2] {
        [&self.value, &self.parties].map(|text| text.as_deref().unwrap_or_default())
    }

    /// Reads the result of [`Self::texts`]. `None` if nothing is cached.
    pub(super) fn read(value: Reply, parties: Reply) -> Result<Option<Self>, upstash::Error> {
        let Some(value) = Option::<String>::from_reply(value)? else {
            return Ok(None);
        };
        let parties = Option::<String>::from_reply(parties)?.unwrap_or_default();
        let [value, parties] =
            [value, parties].map(|text| Some(text).filter(|text| !text.is_empty()));
        Ok(Some(Self { value, parties }))
    }

    /// Returns the value, if there is one that the viewer may see.
    pub(super) fn seen_by(self, viewer: &Viewer<'_>, subject: Subject, id: &Id) -> Option<String> {
        let parties = self.parties.as_deref();
        let seen = match subject {
            Subject::Request => viewer.is_party(parties),
            Subject::User | Subject::Domain => viewer.may_ask(subject, id),
        };
        self.value.filter(|_| seen)
    }
}

/// The users who may see a signing request.
#[derive(Debug, Deserialize)]
struct Parties {
    owner: Option<String>,
    domain: Option<String>,
    signers: Vec<String>,
}

/// The reader of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer<'a> {
    /// The service itself, or an administrator.
    Everything,
    /// An acting user.
    Person {
        /// The user's id.
        user: &'a str,
        /// The user's address.
        email: Option<&'a str>,
        /// The domain that the user administers.
        administers: Option<&'a str>,
    },
}

impl Viewer<'_> {
    /// Returns whether the id alone permits a read. For a request, its parties decide.
    pub(super) fn may_ask(&self, subject: Subject, id: &Id) -> bool {
        let Self::Person {
            user, administers, ..
        } = self
        else {
            return true;
        };
        match subject {
            Subject::User => Id::of(subject, user).as_ref() == Some(id),
            Subject::Domain => {
                administers
                    .and_then(|domain| Id::of(subject, domain))
                    .as_ref()
                    == Some(id)
            }
            Subject::Request => true,
        }
    }

    /// Returns whether the viewer cannot use an entry without parties.
    pub(super) fn needs_parties(&self, subject: Subject) -> bool {
        subject == Subject::Request && *self != Self::Everything
    }

    fn is_party(&self, parties: Option<&str>) -> bool {
        let Self::Person {
            user,
            email,
            administers,
        } = self
        else {
            return true;
        };
        let Some(parties) = parties.and_then(|text| serde_json::from_str::<Parties>(text).ok())
        else {
            return false;
        };
        let user = Id::of(Subject::User, user);
        let owns = user.is_some_and(|user| parties.owner.as_deref() == Some(user.as_str()));
        let leads = administers.is_some_and(|domain| {
            parties.domain.as_deref() == Some(domain.to_ascii_lowercase().as_str())
        });
        let signs =
            email.is_some_and(|email| parties.signers.contains(&email.to_ascii_lowercase()));
        owns || leads || signs
    }
}

#[cfg(test)]
mod tests {
    use super::{Loaded, Viewer};
    use crate::service::cache::id::{Id, Subject};

    const OWNER: &str = "01985c00-0000-7000-8000-000000000001";
    const PARTIES: &str = r#"{"owner":"01985c00-0000-7000-8000-000000000001","domain":"acme.example",
        "signers":["ann@example.com"]}"#;

    fn person<'a>(user: &'a str, email: &'a str, administers: &'a str) -> Viewer<'a> {
        Viewer::Person {
            user,
            email: Some(email).filter(|text| !text.is_empty()),
            administers: Some(administers).filter(|text| !text.is_empty()),
        }
    }

    fn sees(viewer: &Viewer<'_>, parties: Option<&str>) -> bool {
        let loaded = Loaded {
            value: Some("{}".to_owned()),
            parties: parties.map(str::to_owned),
        };
        let id = Id::of(Subject::Request, "r").unwrap();
        loaded.seen_by(viewer, Subject::Request, &id).is_some()
    }

    #[test]
    fn request_is_visible_to_owner_signers_and_the_domains_admins_only() {
        let upper = OWNER.to_uppercase();
        for viewer in [
            Viewer::Everything,
            person(OWNER, "", ""),
            person(&upper, "", ""),
            person("u2", "Ann@Example.com", ""),
            person("u2", "", "Acme.Example"),
        ] {
            assert!(sees(&viewer, Some(PARTIES)), "{viewer:?}");
        }
        for viewer in [
            person("u2", "", ""),
            person("u2", "bob@example.com", "other.example"),
            person("", "ann@example.com.evil.example", ""),
        ] {
            assert!(!sees(&viewer, Some(PARTIES)), "{viewer:?}");
        }
    }

    #[test]
    fn request_with_unknown_parties_is_visible_to_the_service_only() {
        for parties in [None, Some(""), Some("{"), Some(r#"{"owner":null}"#)] {
            assert!(sees(&Viewer::Everything, parties));
            assert!(!sees(
                &person(OWNER, "ann@example.com", "acme.example"),
                parties
            ));
        }
        let nobody = r#"{"owner":null,"domain":null,"signers":[]}"#;
        assert!(!sees(&person(OWNER, "", ""), Some(nobody)));
    }

    #[test]
    fn user_entry_is_for_that_user_and_domain_entry_for_its_admins() {
        let user = Id::of(Subject::User, OWNER).unwrap();
        assert!(person(OWNER, "", "").may_ask(Subject::User, &user));
        assert!(!person("u2", "", OWNER).may_ask(Subject::User, &user));
        let domain = Id::of(Subject::Domain, "acme.example").unwrap();
        assert!(person("u2", "", "ACME.example").may_ask(Subject::Domain, &domain));
        assert!(!person("acme.example", "", "").may_ask(Subject::Domain, &domain));
        assert!(Viewer::Everything.may_ask(Subject::Domain, &domain));
    }
}
