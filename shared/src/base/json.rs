//! JSON that is passed on: nested no deeper than every reader supports, or kept as text.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// The maximum nesting of a document's lists and objects. `serde_json` reads 127 levels. Wrappers, such as an event or
/// a page, add some. `signtusk.is_readable` has the same bound.
pub const MAX_DEPTH: usize = 100;

/// Returns whether lists and objects are nested within [`MAX_DEPTH`].
#[must_use]
pub fn is_shallow(value: &Value) -> bool {
    fn fits(value: &Value, left: usize) -> bool {
        match value {
            Value::Array(items) => left > 0 && items.iter().all(|item| fits(item, left - 1)),
            Value::Object(members) => left > 0 && members.values().all(|it| fits(it, left - 1)),
            _ => true,
        }
    }
    fits(value, MAX_DEPTH)
}

/// A JSON value as text. It is passed from a database to a caller and never parsed. So neither its depth nor its
/// numbers can fail the list that contains it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// Returns the text.
    #[must_use]
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Returns the text without space between its members: `jsonb` writes some.
    #[must_use]
    pub fn compact(&self) -> String {
        let (mut in_string, mut is_escaped) = (false, false);
        let keeps = |c: &char| {
            let keeps = in_string || !c.is_ascii_whitespace();
            if *c == '"' && !is_escaped {
                in_string = !in_string;
            }
            is_escaped = *c == '\\' && !is_escaped;
            keeps
        };
        self.get().chars().filter(keeps).collect()
    }

    /// Returns the value if it can be parsed; a string with the text otherwise, so that a reader sees the content.
    #[must_use]
    pub fn to_value(&self) -> Value {
        serde_json::from_str(self.get()).unwrap_or_else(|_| self.get().into())
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl From<&Value> for RawJson {
    fn from(value: &Value) -> Self {
        // Writing a parsed value does not fail; null replaces one that could not be written.
        Self(serde_json::value::to_raw_value(value).unwrap_or_default())
    }
}

impl Default for RawJson {
    fn default() -> Self {
        Self(RawValue::NULL.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{MAX_DEPTH, RawJson, is_shallow};

    #[test]
    fn depth_counts_arrays_and_objects() {
        let mut value = json!(1);
        for level in 0..MAX_DEPTH {
            value = if level % 2 == 0 {
                json!([value])
            } else {
                json!({ "a": value })
            };
        }
        assert!(is_shallow(&value));
        assert!(!is_shallow(&json!([value])));
    }

    #[test]
    fn compact_text_keeps_space_within_strings() {
        let raw: RawJson =
            serde_json::from_str(r#"{ "a b": [ 1, "c \" d\\" ] , "e":  null }"#).unwrap();
        assert_eq!(raw.compact(), r#"{"a b":[1,"c \" d\\"],"e":null}"#);
    }

    #[test]
    fn unreadable_value_is_forwarded_unchanged() {
        let deep = format!("{}1e400{}", "[".repeat(5000), "]".repeat(5000));
        let raw: RawJson = serde_json::from_str(&deep).unwrap();
        assert_eq!(raw.get(), deep);
        assert_eq!(serde_json::to_string(&raw).unwrap(), deep);
        assert_eq!(raw.to_value(), json!(deep));
    }
}
