//! A mailbox: a name and an address, as in `From` (RFC 5322, section 3.4).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::address::{EmailAddress, InvalidAddress};
use crate::base::bidi::is_bidi_control;

/// The bytes of text in one encoded word, so that the whole word stays under 75 characters (RFC 2047, section 2).
const WORD_BYTES: usize = 42;

/// The longest display name, in characters.
const MAX_NAME: usize = 100;

/// The characters that a display name must quote (RFC 5322, section 3.2.3).
const SPECIALS: &str = "()<>[]:;@\\,.\"";

/// A mailbox with an optional display name. `Display` writes it as a header value, encoded if necessary.
#[derive(Clone, PartialEq, Eq)]
pub struct Mailbox {
    name: Option<String>,
    address: EmailAddress,
}

/// Why a text is not a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMailbox {
    /// The name is too long or contains control characters.
    #[error("the display name must be one line of at most 100 characters")]
    Name,
    /// The address is invalid.
    #[error("the address {0}")]
    Address(#[from] InvalidAddress),
}

impl Mailbox {
    /// Reads `Name <name@domain>`, `"Name" <name@domain>` or a bare address.
    pub fn parse(text: &str) -> Result<Self, InvalidMailbox> {
        let text = text.trim();
        let Some((name, rest)) = text.rsplit_once('<') else {
            let address = EmailAddress::parse(text)?;
            return Ok(Self {
                name: None,
                address,
            });
        };
        let address = rest.strip_suffix('>').ok_or(InvalidAddress::Shape)?;
        let name = unquoted(name.trim_matches(' '));
        if name.chars().count() > MAX_NAME
            || name.contains(|c: char| c.is_control() || is_bidi_control(c))
        {
            return Err(InvalidMailbox::Name);
        }
        Ok(Self {
            name: Some(name).filter(|name| !name.is_empty()),
            address: EmailAddress::parse(address)?,
        })
    }

    /// Returns the same address under another name. Characters that a header cannot contain are removed, and a long
    /// name is cut.
    #[must_use]
    pub fn with_name(&self, name: &str) -> Self {
        let name = name
            .chars()
            .filter(|it| !it.is_control() && !is_bidi_control(*it))
            .take(MAX_NAME);
        Self {
            name: Some(name.collect::<String>()).filter(|name| !name.is_empty()),
            address: self.address.clone(),
        }
    }

    /// Returns the mailbox for a provider that encodes names itself: `Name <address>`, with a quoted name if it
    /// contains `specials` (RFC 5322).
    #[must_use]
    pub fn in_unicode(&self) -> String {
        let address = self.address.as_str();
        match &self.name {
            None => address.to_owned(),
            Some(name) if name.contains(|c| SPECIALS.contains(c)) => {
                format!("{} <{address}>", quoted(name))
            }
            Some(name) => format!("{name} <{address}>"),
        }
    }

    /// Returns the address without the name.
    #[must_use]
    pub fn address(&self) -> &EmailAddress {
        &self.address
    }
}

fn unquoted(name: &str) -> String {
    match name
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => name.to_owned(),
    }
}

fn quoted(name: &str) -> String {
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// Returns the name as encoded words of UTF-8 (RFC 2047), split between characters.
fn encoded_words(name: &str) -> String {
    let mut words: Vec<String> = vec![String::new()];
    for character in name.chars() {
        let full = words
            .last()
            .is_some_and(|word| word.len() + character.len_utf8() > WORD_BYTES);
        if full {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(character);
        }
    }
    let encode = |word: String| format!("=?UTF-8?B?{}?=", STANDARD.encode(word));
    words.into_iter().map(encode).collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.address.as_str();
        match &self.name {
            None => f.write_str(address),
            Some(name) if name.is_ascii() => {
                write!(f, "{} <{address}>", quoted(name))
            }
            Some(name) => write!(f, "{} <{address}>", encoded_words(name)),
        }
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[mailbox]")
    }
}

impl FromStr for Mailbox {
    type Err = InvalidMailbox;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::Mailbox;

    #[test]
    fn mailbox_is_formatted_for_a_header() {
        for (text, header) in [
            ("no@example.com", "no@example.com"),
            ("SignTusk <no@example.com>", "\"SignTusk\" <no@example.com>"),
            (
                "\"Tusk, \\\"Sign\\\"\" <no@example.com>",
                "\"Tusk, \\\"Sign\\\"\" <no@example.com>",
            ),
            (
                "Jörg <no@example.com>",
                "=?UTF-8?B?SsO2cmc=?= <no@example.com>",
            ),
        ] {
            assert_eq!(Mailbox::parse(text).unwrap().to_string(), header);
        }
    }

    #[test]
    fn unicode_mailbox_keeps_its_name_and_parses_back() {
        for (text, name) in [
            ("no@example.com", "no@example.com"),
            ("SignTusk <no@example.com>", "SignTusk <no@example.com>"),
            ("J\u{f6}rg <no@example.com>", "J\u{f6}rg <no@example.com>"),
            (
                "Tusk, \u{201c}Sign\u{201d} <no@example.com>",
                "\"Tusk, \u{201c}Sign\u{201d}\" <no@example.com>",
            ),
            ("a@b \"c <no@example.com>", "\"a@b \\\"c\" <no@example.com>"),
        ] {
            let mailbox = Mailbox::parse(text).unwrap();
            assert_eq!(mailbox.in_unicode(), name);
            assert!(
                Mailbox::parse(&mailbox.in_unicode()).unwrap() == mailbox,
                "{name}"
            );
        }
    }

    #[test]
    fn long_name_is_cut_between_characters() {
        let header = Mailbox::parse(&format!("{} <no@example.com>", "é".repeat(100)))
            .unwrap()
            .to_string();
        assert!(header.split(' ').all(|word| word.len() <= 75), "{header}");
    }

    #[test]
    fn mailbox_name_cannot_inject_a_header() {
        for text in [
            "A\r\nBcc: x <no@example.com>",
            "A <no@example.com>\r\nBcc: x",
            "A\u{2067}B <no@example.com>",
            "A <no@example.com",
        ] {
            assert!(Mailbox::parse(text).is_err(), "{text:?}");
        }
    }
}
