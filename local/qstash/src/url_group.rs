//! URL groups: each message goes to every endpoint.
//!
//! Source: <https://upstash.com/docs/qstash/features/url-groups>.

use redb::TableDefinition;
use serde::{Deserialize, Serialize};

use crate::destination::Target;
use crate::header_map::Headers;
use crate::name::Name;
use crate::store::Record;

/// One receiver of a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    /// The name of the endpoint, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<Name>,
    /// Its URL.
    pub(crate) url: Target,
}

/// A group of receivers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct UrlGroup {
    /// When it was created, in wall-clock milliseconds.
    pub(crate) created_ms: u64,
    /// When it was changed last, in wall-clock milliseconds.
    pub(crate) updated_ms: u64,
    /// The receivers, in the order they were added.
    pub(crate) endpoints: Vec<Endpoint>,
    /// Headers of every message, unless the message overrides them.
    #[serde(default)]
    pub(crate) headers: Headers,
}

impl UrlGroup {
    /// Creates a group without receivers.
    pub(crate) fn new(wall_ms: u64) -> Self {
        Self {
            created_ms: wall_ms,
            updated_ms: wall_ms,
            endpoints: Vec::new(),
            headers: Headers::default(),
        }
    }

    /// Adds a receiver, or changes the one with that name or, without a name, that URL.
    pub(crate) fn put(&mut self, endpoint: Endpoint) {
        let same = |known: &&mut Endpoint| match &endpoint.name {
            Some(name) => known.name.as_ref() == Some(name),
            None => known.name.is_none() && known.url == endpoint.url,
        };
        match self.endpoints.iter_mut().find(same) {
            Some(known) => *known = endpoint,
            None => self.endpoints.push(endpoint),
        }
    }

    /// Removes every receiver that has this name or this URL.
    pub(crate) fn remove(&mut self, name: Option<&str>, url: Option<&str>) {
        self.endpoints.retain(|known| {
            let named = name.is_some() && known.name.as_ref().map(Name::as_str) == name;
            let there = url.is_some_and(|url| known.url.as_str() == url);
            !(named || (name.is_none() && there))
        });
    }
}

impl Record for UrlGroup {
    const TABLE: TableDefinition<'static, &'static str, &'static [u8]> =
        TableDefinition::new("url_groups");
}
