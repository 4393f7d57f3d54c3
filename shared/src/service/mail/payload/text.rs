//! Texts of users in subjects, headers and mail bodies: bounded, without control characters.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::bidi::is_bidi_control;
use crate::base::identity;

/// The longest name, in characters.
const MAX_NAME: usize = 200;

/// The longest document title, in characters.
const MAX_TITLE: usize = 500;

/// The longest message, in characters.
const MAX_MESSAGE: usize = 5000;

/// The longest id from the web app, in characters.
const MAX_REFERENCE: usize = 200;

/// Why a text is rejected. It does not quote the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Only white space.
    #[error("must not be blank")]
    Blank,
    /// More characters than the limit.
    #[error("must not be longer than {0} characters")]
    TooLong(usize),
    /// A line break in a single-line text, another control character, or a mark that changes the text direction.
    #[error("must not contain control or text-direction characters")]
    Control,
}

/// The name of a person or an organisation: one line of 1 to 200 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(
    value_type = String,
    min_length = 1,
    max_length = 200,
    pattern = r"^[^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]*[^\s\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff][^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]*$",
    examples("Ann Signer")
)]
pub struct DisplayName(String);

/// The title of a document: one line of 1 to 500 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(
    value_type = String,
    min_length = 1,
    max_length = 500,
    pattern = r"^[^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]*[^\s\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff][^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]*$",
    examples("Office lease 2027")
)]
pub struct Title(String);

/// A message: up to 5,000 characters. Line breaks are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(
    value_type = String,
    min_length = 1,
    max_length = 5000,
    pattern = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]*[^\s\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff][^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]*$",
    examples("Please sign before the move.")
)]
pub struct Message(String);

/// An opaque id issued by the web app: one line of 1 to 200 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(
    value_type = String,
    min_length = 1,
    max_length = 200,
    pattern = r"^[^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]*[^\s\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff][^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]*$"
)]
pub struct Reference(String);

impl DisplayName {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the default name of a sender.
    pub(super) fn of_product() -> Self {
        Self("SignTusk".to_owned())
    }
}

impl Title {
    /// Returns the title.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the default title of a document.
    pub(super) fn of_unnamed() -> Self {
        Self("Document".to_owned())
    }
}

impl Message {
    /// Returns the message, its lines separated by `\n`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Reference {
    /// Returns the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DisplayName {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        line(&text, MAX_NAME).map(Self)
    }
}

impl TryFrom<String> for Title {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        line(&text, MAX_TITLE).map(Self)
    }
}

impl TryFrom<String> for Message {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        let unix = text.replace("\r\n", "\n").replace('\r', "\n");
        bounded(&unix, MAX_MESSAGE, |c| {
            c != '\n' && c != '\t' && is_forbidden(c)
        })
        .map(Self)
    }
}

impl TryFrom<String> for Reference {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        line(&text, MAX_REFERENCE).map(|id| Self(identity::id(&id)))
    }
}

impl From<DisplayName> for String {
    fn from(name: DisplayName) -> Self {
        name.0
    }
}

impl From<Title> for String {
    fn from(title: Title) -> Self {
        title.0
    }
}

impl From<Message> for String {
    fn from(message: Message) -> Self {
        message.0
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.0
    }
}

pub(in crate::service) fn line(text: &str, limit: usize) -> Result<String, InvalidText> {
    bounded(text, limit, |c| {
        is_forbidden(c) || matches!(c, '\u{2028}' | '\u{2029}')
    })
}

/// Returns the text without surrounding spaces. Surrounding line breaks are not dropped, but checked.
fn bounded(
    text: &str,
    limit: usize,
    refused: impl Fn(char) -> bool,
) -> Result<String, InvalidText> {
    if text.trim().is_empty() {
        return Err(InvalidText::Blank);
    }
    if text.contains(refused) {
        return Err(InvalidText::Control);
    }
    let text = text.trim();
    if text.chars().count() > limit {
        return Err(InvalidText::TooLong(limit));
    }
    Ok(text.to_owned())
}

/// Returns whether it is a control character, or a mark that changes the text direction: such a mark can make a title
/// read as another one.
fn is_forbidden(c: char) -> bool {
    c.is_control() || is_bidi_control(c) || c == '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::{DisplayName, InvalidText, Message, Title};

    #[test]
    fn names_of_all_scripts_are_accepted() {
        for name in [
            "Zoë O'Brien-Łukasz",
            "山田太郎",
            "محمد بن سلمان",
            "🖋 & Co. <b>",
        ] {
            assert_eq!(
                DisplayName::try_from(name.to_owned()).unwrap().as_str(),
                name
            );
        }
    }

    #[test]
    fn text_limit_counts_characters_not_bytes() {
        assert!(Title::try_from("é".repeat(500)).is_ok());
        assert_eq!(
            Title::try_from("é".repeat(501)),
            Err(InvalidText::TooLong(500))
        );
    }

    #[test]
    fn message_keeps_line_breaks_and_refuses_other_control_characters() {
        let message = Message::try_from("Dear Ann,\r\n\r\tplease sign.\n".to_owned()).unwrap();
        assert_eq!(message.as_str(), "Dear Ann,\n\n\tplease sign.");
        assert_eq!(
            Message::try_from("a\u{1b}[2J".to_owned()),
            Err(InvalidText::Control)
        );
    }

    #[test]
    fn bidi_mark_is_refused_in_names_titles_and_messages() {
        let marks = ['\u{61c}', '\u{200e}', '\u{200f}'].into_iter();
        for mark in marks
            .chain('\u{202a}'..='\u{202e}')
            .chain('\u{2066}'..='\u{2069}')
        {
            let text = format!("a{mark}b");
            let refused = InvalidText::Control;
            assert_eq!(
                DisplayName::try_from(text.clone()),
                Err(refused),
                "{text:?}"
            );
            assert_eq!(Title::try_from(text.clone()), Err(refused), "{text:?}");
            assert_eq!(Message::try_from(text.clone()), Err(refused), "{text:?}");
        }
    }

    #[test]
    fn name_with_a_trailing_line_break_is_refused() {
        assert_eq!(
            DisplayName::try_from("Ann\r\n".to_owned()),
            Err(InvalidText::Control)
        );
    }
}
