//! The one spelling of a user, a domain and an e-mail address, so that what is the same compares equal.
//!
//! The web app, its users and its database spell them as they like. Whatever comes in is brought into this form at the
//! edge; what stands in the database is compared in it there (`signtusk.normal_id`, `signtusk.normal`).

use uuid::Uuid;

/// The length of a UUID as text with hyphens.
const UUID_LENGTH: usize = 36;

/// A user's id: a UUID, however it is written, as lower-case text with hyphens; another id as it is.
#[must_use]
pub fn user(id: &str) -> String {
    Uuid::try_parse(id).map_or_else(|_| id.to_owned(), |id| id.to_string())
}

/// An id that may be a UUID: one with hyphens in lower case; another id as it is, also one of 32 digits, which may be a
/// hash.
#[must_use]
pub fn id(id: &str) -> String {
    if id.len() == UUID_LENGTH {
        user(id)
    } else {
        id.to_owned()
    }
}

/// A domain: without space around it, in lower case as far as ASCII goes.
#[must_use]
pub fn domain(name: &str) -> String {
    name.trim().to_ascii_lowercase()
}

/// An e-mail address as it is compared: like a domain, the local part included, because no provider tells people apart by
/// case. It is not what mails are addressed to.
#[must_use]
pub fn address(address: &str) -> String {
    domain(address)
}

#[cfg(test)]
mod tests {
    use super::{address, domain, id, user};

    const USER: &str = "01985c00-0000-7000-8000-00000000000a";

    #[test]
    fn user_has_one_spelling_however_written() {
        for spelling in [
            USER.to_uppercase(),
            USER.replace('-', ""),
            format!("{{{USER}}}"),
            format!("urn:uuid:{USER}"),
        ] {
            assert_eq!(user(&spelling), USER, "{spelling}");
        }
        assert_eq!(user("User-1"), "User-1");
    }

    #[test]
    fn id_without_hyphens_stays_as_it_is() {
        assert_eq!(id(&USER.to_uppercase()), USER);
        let hash = "D41D8CD98F00B204E9800998ECF8427E";
        assert_eq!(id(hash), hash);
    }

    #[test]
    fn domain_and_address_are_compared_without_case() {
        assert_eq!(domain(" Acme.Example\t"), "acme.example");
        assert_eq!(address("Ann@Acme.Example"), "ann@acme.example");
    }
}
