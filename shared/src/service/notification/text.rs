//! The texts of notifications, limited to the length of their columns.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::service::mail::payload::text::line;
use crate::service::mail::payload::{HttpUrl, InvalidText};

/// The title of a notification: one line of 1 to 255 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(
    value_type = String,
    min_length = 1,
    max_length = 255,
    pattern = r"^[^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]*[^\s\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff][^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]*$",
    examples("Signature requested")
)]
pub struct Headline(String);

impl Headline {
    /// The longest title, in characters.
    const MAX_LEN: usize = 255;

    /// Returns the title.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Headline {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        line(&text, Self::MAX_LEN).map(Self)
    }
}

impl From<Headline> for String {
    fn from(line: Headline) -> Self {
        line.0
    }
}

/// The link of a notification: a path of the web app or an absolute http(s) URL, at most 500 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(
    value_type = String,
    max_length = 499,
    pattern = r"^(/([!-.0-\[\]-~][!-~]*)?|https?://([a-zA-Z0-9-]+\.)*[a-zA-Z][a-zA-Z0-9-]*(:([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}))?([/?#][!-~]*)?)$",
    examples("/sign/r-1")
)]
pub struct ActionUrl(String);

/// Why a text is not a valid link. It does not quote the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidActionUrl {
    /// Neither a path nor an http(s) URL.
    #[error(
        "must be a path that begins with one slash, or an http or https URL without credentials"
    )]
    Shape,
    /// Longer than 500 characters.
    #[error("must not be longer than 500 characters")]
    TooLong,
}

impl ActionUrl {
    /// The longest link, in characters.
    pub(super) const MAX_LEN: usize = 500;

    /// Returns the path or URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ActionUrl {
    type Error = InvalidActionUrl;

    fn try_from(text: String) -> Result<Self, InvalidActionUrl> {
        let text = text.trim();
        let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        let leads = if text.starts_with('/') {
            // Browsers treat a second slash, or a backslash, as the start of another host.
            is_visible && !text.starts_with("//") && !text.starts_with("/\\")
        } else {
            is_visible && HttpUrl::parse(text).is_ok()
        };
        if !leads {
            return Err(InvalidActionUrl::Shape);
        }
        if text.len() > Self::MAX_LEN {
            return Err(InvalidActionUrl::TooLong);
        }
        Ok(Self(text.to_owned()))
    }
}

impl From<ActionUrl> for String {
    fn from(url: ActionUrl) -> Self {
        url.0
    }
}

/// Data stored for the web app: an object of at most 16 KB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
#[schema(as = NotificationData, value_type = Object)]
pub struct Data(Map<String, Value>);

/// Why data is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must not be longer than {} bytes", Data::MAX_LEN)]
pub struct InvalidData;

impl Data {
    /// The largest data, in bytes of JSON.
    const MAX_LEN: usize = 16 << 10;

    pub(super) fn get(&self, member: &str) -> Option<&Value> {
        self.0.get(member)
    }
}

impl TryFrom<Map<String, Value>> for Data {
    type Error = InvalidData;

    fn try_from(members: Map<String, Value>) -> Result<Self, InvalidData> {
        let members: Map<_, _> = members.into_iter().map(without_nul).collect();
        let length = serde_json::to_vec(&members).map_or(usize::MAX, |json| json.len());
        if length > Self::MAX_LEN {
            return Err(InvalidData);
        }
        Ok(Self(members))
    }
}

impl From<Data> for Map<String, Value> {
    fn from(data: Data) -> Self {
        data.0
    }
}

/// Replaces NUL characters, which Postgres cannot store in JSON, with the replacement character.
fn without_nul((name, value): (String, Value)) -> (String, Value) {
    (name.replace('\0', "\u{fffd}"), plain(value))
}

fn plain(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "\u{fffd}")),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(members) => Value::Object(members.into_iter().map(without_nul).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::{ActionUrl, Data, InvalidActionUrl, InvalidData};

    #[test]
    fn action_url_must_be_a_web_app_path_or_a_web_address() {
        for text in ["/", "/sign/1?a=b#c", "https://app.example.com/x"] {
            let link = ActionUrl::try_from(text.to_owned()).unwrap();
            assert_eq!(link.as_str(), text);
        }
        for text in [
            "",
            "sign/1",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "https://a@evil.example",
            "/a b",
            "/ü",
        ] {
            let refused = ActionUrl::try_from(text.to_owned());
            assert_eq!(refused, Err(InvalidActionUrl::Shape), "{text}");
        }
        let long = format!("/{}", "x".repeat(500));
        assert_eq!(ActionUrl::try_from(long), Err(InvalidActionUrl::TooLong));
    }

    #[test]
    fn notification_data_drops_nul_and_is_bounded() {
        let members = json!({ "a\0": ["\0", { "b": "c\0" }], "n": 1 });
        let data = Data::try_from(members.as_object().unwrap().clone()).unwrap();
        let expected = json!({ "a\u{fffd}": ["\u{fffd}", { "b": "c\u{fffd}" }], "n": 1 });
        assert_eq!(serde_json::to_value(data).unwrap(), expected);
        let mut large = Map::new();
        large.insert("x".to_owned(), "x".repeat(20_000).into());
        assert_eq!(Data::try_from(large), Err(InvalidData));
    }
}
