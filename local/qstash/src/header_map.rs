//! HTTP headers in the API's form: Go's canonical names, each with a list of values.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde::{Deserialize, Serialize};

/// Headers by canonical name (`Content-Type`, `X-Request-Id`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Headers(BTreeMap<String, Vec<String>>);

impl Headers {
    /// Replaces the values of `name`.
    pub(crate) fn set(&mut self, name: &str, values: Vec<String>) {
        self.0.insert(canonical(name), values);
    }

    /// Adds a value to `name`.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        self.0
            .entry(canonical(name))
            .or_default()
            .push(value.to_owned());
    }

    /// Sets every name of `other`, replacing its values.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.0.extend(
            other
                .0
                .iter()
                .map(|(name, values)| (name.clone(), values.clone())),
        );
    }

    /// Returns names and values, one pair per value, in the order of names.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(name, values)| {
            values
                .iter()
                .map(move |value| (name.as_str(), value.as_str()))
        })
    }

    /// Returns the headers with every value changed by `change(name, value)`.
    pub(crate) fn map_values(&self, change: impl Fn(&str, &str) -> String) -> Self {
        let changed = |(name, values): (&String, &Vec<String>)| {
            (
                name.clone(),
                values.iter().map(|value| change(name, value)).collect(),
            )
        };
        Self(self.0.iter().map(changed).collect())
    }
}

impl From<&HeaderMap> for Headers {
    fn from(map: &HeaderMap) -> Self {
        let mut headers = Self::default();
        for (name, value) in map {
            headers.add(name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
        }
        headers
    }
}

/// Returns the canonical name: `content-type` becomes `Content-Type`.
fn canonical(name: &str) -> String {
    let mut start = true;
    name.chars()
        .map(|c| {
            let cased = if start {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            };
            start = c == '-';
            cased
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_names_are_cased_like_in_go() {
        assert_eq!(
            canonical("bypass-TUNNEL-reminder"),
            "Bypass-Tunnel-Reminder"
        );
        assert_eq!(canonical("x-api-key"), "X-Api-Key");
    }
}
