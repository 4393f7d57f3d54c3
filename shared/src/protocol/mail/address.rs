//! The address of a mailbox: `local@domain` of RFC 5321, section 4.1.2, in the forms that providers support.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest address that fits a forward path (RFC 3696, erratum 1690).
const MAX_LENGTH: usize = 254;

/// The longest local part (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL: usize = 64;

/// The symbols that a local part may contain besides letters, digits and single dots (RFC 5322, `atext`).
const MARKS: &str = "!#$%&'*+-/=?^_`{|}~";

/// An e-mail address in ASCII, without quotes or control characters. The domain is in ASCII form and lower case.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = Email, max_length = 254, examples("signer@example.com"))]
pub struct EmailAddress(String);

/// Why a text is not an address. It does not quote the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// There is no `@`, or one side of it is empty.
    #[error("must be an e-mail address of the form name@domain")]
    Shape,
    /// Longer than the limit of a mail path.
    #[error("must not be longer than 254 characters, or 64 before the @")]
    Length,
    /// A space, a control character, a quote or a letter that mail servers do not support.
    #[error("must not contain unsupported characters before the @")]
    LocalPart,
    /// The domain is not a dotted name.
    #[error("must have a valid domain after the @")]
    Domain,
}

impl EmailAddress {
    /// Reads an address. Surrounding white space is dropped, and an international domain is converted to its ASCII
    /// form.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let (local, domain) = text.trim().rsplit_once('@').ok_or(InvalidAddress::Shape)?;
        if local.is_empty() || domain.is_empty() {
            return Err(InvalidAddress::Shape);
        }
        if local.len() > MAX_LOCAL || domain.len() > MAX_LENGTH {
            return Err(InvalidAddress::Length);
        }
        if !is_dot_atom(local) {
            return Err(InvalidAddress::LocalPart);
        }
        let address = format!("{local}@{}", ascii_domain(domain)?);
        if address.len() > MAX_LENGTH {
            return Err(InvalidAddress::Length);
        }
        Ok(Self(address))
    }

    /// Returns the address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|atom| {
        !atom.is_empty()
            && atom
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || MARKS.contains(c))
    })
}

fn ascii_domain(domain: &str) -> Result<String, InvalidAddress> {
    // The host parser decodes percent signs and accepts numeric addresses; neither is allowed in a mail address.
    if domain.contains('%') || domain.contains(char::is_control) {
        return Err(InvalidAddress::Domain);
    }
    let Ok(url::Host::Domain(ascii)) = url::Host::parse(domain) else {
        return Err(InvalidAddress::Domain);
    };
    let labels: Vec<&str> = ascii.split('.').collect();
    if labels.len() < 2 || !labels.iter().all(|label| is_label(label)) {
        return Err(InvalidAddress::Domain);
    }
    Ok(ascii)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

impl TryFrom<String> for EmailAddress {
    type Error = InvalidAddress;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl FromStr for EmailAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[address]")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{EmailAddress, InvalidAddress};

    #[test]
    fn common_addresses_are_accepted() {
        for text in [
            "ann@example.com",
            "Ann.O'Neil+sign@mail.example.co.uk",
            " padded@example.com ",
            "\tpadded@example.com\r\n",
            "\u{a0}padded@example.com\n\n",
            "x@1and1.example",
        ] {
            assert!(EmailAddress::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn international_domain_is_converted_to_ascii() {
        let address = EmailAddress::parse("kontakt@Bücher.example").unwrap();
        assert_eq!(address.as_str(), "kontakt@xn--bcher-kva.example");
    }

    #[test]
    fn invalid_address_is_refused_with_its_reason() {
        use InvalidAddress::{Domain, Length, LocalPart, Shape};
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}.com", "b.".repeat(130));
        for (text, reason) in [
            ("", Shape),
            ("ann", Shape),
            ("@example.com", Shape),
            ("ann@", Shape),
            ("a b@example.com", LocalPart),
            ("a@b@example.com", LocalPart),
            ("\"ann\"@example.com", LocalPart),
            ("ann..b@example.com", LocalPart),
            ("Ann <ann@example.com", LocalPart),
            ("änn@example.com", LocalPart),
            ("ann\r\nBcc: x@example.com", LocalPart),
            ("ann@example.com\r\nBcc: x", Domain),
            ("ann@exam\tple.com", Domain),
            ("ann@example.com>", Domain),
            ("ann@example.com,b", Domain),
            ("ann@localhost", Domain),
            ("ann@[127.0.0.1]", Domain),
            ("ann@127.0.0.1", Domain),
            ("ann@exa%6dple.com", Domain),
            ("ann@-x.com", Domain),
            ("ann@x..com", Domain),
            (long.as_str(), Length),
            (longer.as_str(), Length),
        ] {
            assert_eq!(EmailAddress::parse(text), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn debug_output_hides_the_address() {
        let address = EmailAddress::parse("ann@example.com").unwrap();
        assert_eq!(format!("{address:?}"), "[address]");
    }

    proptest! {
        #[test]
        fn accepted_address_is_one_plain_ascii_token(text in "\\PC{0,40}@\\PC{0,40}|.{0,80}") {
            if let Ok(address) = EmailAddress::parse(&text) {
                let text = address.as_str();
                prop_assert!(text.is_ascii() && text.len() <= 254);
                prop_assert!(!text.contains(|c: char| c.is_control() || " <>,;:\"()[]\\".contains(c)));
                prop_assert_eq!(text.matches('@').count(), 1);
                prop_assert_eq!(EmailAddress::parse(text), Ok(address.clone()));
            }
        }
    }
}
