//! The normal form of a user, a domain and an e-mail address, so that equal identities compare equal.
//!
//! The web app, its users and its database use various spellings. The edge converts each input into this form. Database
//! values are compared in this form there (`signtusk.normal_id`, `signtusk.normal`).

use icu_normalizer::ComposingNormalizerBorrowed;
use uuid::Uuid;

/// The length of a UUID as text with hyphens.
const UUID_LENGTH: usize = 36;

/// Returns a user's id: a UUID in any spelling as lower-case text with hyphens; another id unchanged.
#[must_use]
pub fn user(id: &str) -> String {
    Uuid::try_parse(id).map_or_else(|_| id.to_owned(), |id| id.to_string())
}

/// Returns an id that may be a UUID. One with hyphens becomes lower case. Another id is unchanged, also one of 32
/// digits, which may be a hash.
#[must_use]
pub fn id(id: &str) -> String {
    if id.len() == UUID_LENGTH {
        user(id)
    } else {
        id.to_owned()
    }
}

/// Returns a domain without surrounding space, its ASCII letters in lower case.
#[must_use]
pub fn domain(name: &str) -> String {
    name.trim().to_ascii_lowercase()
}

/// Returns an e-mail address for comparison: like a domain, the local part included, because no provider distinguishes
/// accounts by case. Mails are not addressed to this form.
#[must_use]
pub fn address(address: &str) -> String {
    domain(address)
}

/// Returns a typed account name for counting. Names that look or read the same have one form: NFKC, without invisible
/// characters, in lower case. Otherwise each spelling would have its own failure count.
#[must_use]
pub fn folded(typed: &str) -> String {
    let composed = ComposingNormalizerBorrowed::new_nfkc().normalize(typed);
    let shown: String = composed.chars().filter(|c| !is_invisible(*c)).collect();
    shown.trim().to_lowercase()
}

/// Returns whether a character has no width: soft hyphen, joiners and marks of direction, variation selectors, tags.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::{address, domain, folded, id, user};

    const USER: &str = "01985c00-0000-7000-8000-00000000000a";

    #[test]
    fn user_id_has_one_spelling() {
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
    fn id_without_hyphens_is_unchanged() {
        assert_eq!(id(&USER.to_uppercase()), USER);
        let hash = "D41D8CD98F00B204E9800998ECF8427E";
        assert_eq!(id(hash), hash);
    }

    #[test]
    fn lookalike_identifiers_are_folded_into_one() {
        for typed in [
            " Ann@Example.com",
            "ann\u{200b}@example.com",
            "\u{ff41}nn@example.com",
            "ann@example\u{ad}.com\u{feff}",
            "ann@example.com\t",
        ] {
            assert_eq!(folded(typed), "ann@example.com", "{typed:?}");
        }
        assert_eq!(folded("Zoe\u{308}"), folded("zo\u{eb}"));
        assert_ne!(folded("ann"), folded("anne"));
    }

    #[test]
    fn domain_and_address_are_compared_without_case() {
        assert_eq!(domain(" Acme.Example\t"), "acme.example");
        assert_eq!(address("Ann@Acme.Example"), "ann@acme.example");
    }
}
