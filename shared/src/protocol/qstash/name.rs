//! Names that QStash accepts: flow-control keys, labels, deduplication ids and schedule ids.
//!
//! QStash accepts 1 to 128 letters, digits, `.`, `_` and `-`, and rejects a message with any other name. A value of one
//! of these types holds a valid name. An external name is parsed, or derived: kept if it is valid, and hashed
//! otherwise.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::base::hex::hex;

/// The longest name, in characters.
pub const MAX_NAME: usize = 128;

/// The prefix of a hashed name.
const HASHED: &str = "sha256-";

/// A text that QStash would reject as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {MAX_NAME} letters, digits, dots, underscores and hyphens")]
pub struct InvalidName;

fn is_allowed(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(plain)
}

/// Returns the text itself if it is a name, else its hash. Two texts never share a name: a text that looks like a hash
/// is hashed.
fn derived(text: &str) -> String {
    if is_allowed(text) && !text.starts_with(HASHED) {
        return text.to_owned();
    }
    format!("{HASHED}{}", hex(&Sha256::digest(text)))
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Parses a name.
            pub fn parse(name: &str) -> Result<Self, InvalidName> {
                if is_allowed(name) {
                    Ok(Self(name.to_owned()))
                } else {
                    Err(InvalidName)
                }
            }

            /// Derives a name from any text: the text itself if it is a name, else its SHA-256. Different texts get
            /// different names.
            #[must_use]
            pub fn derive(text: &str) -> Self {
                Self(derived(text))
            }

            /// Returns the name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The key of a flow control: messages with one key share its limits.
    FlowKey
}
name! {
    /// A label of messages, to find, cancel or redrive them by.
    Label
}
name! {
    /// The id by which QStash recognizes a repeated message.
    DeduplicationId
}
name! {
    /// The id of a schedule.
    ScheduleId
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{FlowKey, InvalidName, Label, MAX_NAME};

    #[test]
    fn name_outside_the_alphabet_or_length_is_refused() {
        let long = "x".repeat(MAX_NAME + 1);
        for name in [
            "", "a:b", "a@b", "a b", "a,b", "a/b", "\u{fc}", "a\0", &long,
        ] {
            assert_eq!(FlowKey::parse(name), Err(InvalidName), "{name:?}");
        }
        let longest = "x".repeat(MAX_NAME);
        for name in ["a", "A.b_c-9", &longest] {
            assert_eq!(FlowKey::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn derived_name_is_valid_and_unique_for_every_text() {
        let long = "x".repeat(MAX_NAME + 1);
        let other = "x".repeat(MAX_NAME + 2);
        let hash_of_comma = Label::derive("a,b").to_string();
        let texts = [
            "",
            "a",
            "a,b",
            "a_b",
            "a@b",
            "\u{fc}",
            &long,
            &other,
            &hash_of_comma,
        ];
        let names: BTreeSet<String> = texts
            .iter()
            .map(|text| Label::derive(text).to_string())
            .collect();
        assert_eq!(names.len(), texts.len(), "{names:?}");
        assert!(
            names.iter().all(|name| Label::parse(name).is_ok()),
            "{names:?}"
        );
        assert_eq!(Label::derive("msg_1-A.b").as_str(), "msg_1-A.b");
    }
}
