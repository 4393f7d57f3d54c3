//! The canonical text of an event, compared with the columns of its row.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::chain::{LegacyColumns, Link};

/// The content of a canonical text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CanonicalEvent<'a> {
    #[serde(borrow)]
    pub(super) event_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) chain: Cow<'a, str>,
    pub(super) sequence: i64,
    #[serde(borrow)]
    pub(super) previous_hash: Cow<'a, str>,
    #[serde(borrow)]
    recorded_at: Cow<'a, str>,
    #[serde(borrow)]
    at: Cow<'a, str>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow)]
    resource_type: Cow<'a, str>,
    #[serde(borrow, default)]
    resource_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    request_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    user_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    domain: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    ip_address: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    user_agent: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    details: Option<&'a RawValue>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
}

impl CanonicalEvent<'_> {
    /// Returns the first column that differs.
    pub(super) fn differs_from(
        &self,
        link: &Link<'_>,
        legacy: LegacyColumns,
    ) -> Option<&'static str> {
        let same =
            |canonical: &Option<Cow<'_, str>>, column: Option<&str>| canonical.as_deref() == column;
        let is_uuid = |text: &str| uuid::Uuid::parse_str(text).is_ok();
        // A column of another type may have another spelling, and is null for a value that it cannot store.
        let fitting = |canonical: &Option<Cow<'_, str>>, column: Option<&str>, legacy: bool| {
            if !legacy {
                return same(canonical, column);
            }
            match (canonical.as_deref(), column) {
                (canonical, None) => canonical.is_none_or(|canonical| !is_uuid(canonical)),
                (Some(canonical), Some(column)) => canonical.eq_ignore_ascii_case(column),
                (None, Some(_)) => false,
            }
        };
        let checks = [
            (link.event_id == Some(&self.event_id), "event_id"),
            (
                link.previous_hash == Some(&self.previous_hash),
                "previous_hash",
            ),
            (
                link.recorded_micros == micros(&self.recorded_at),
                "recorded_at",
            ),
            (link.created_micros == micros(&self.at), "created_at"),
            (link.action == Some(&self.action), "action"),
            (
                link.resource_type == Some(&self.resource_type),
                "resource_type",
            ),
            (same(&self.request_id, link.request_id), "request_id"),
            (same(&self.domain, link.domain), "domain"),
            (same(&self.user_agent, link.user_agent), "user_agent"),
            (
                fitting(&self.user_id, link.user_id, legacy.user_id),
                "user_id",
            ),
            (
                fitting(&self.resource_id, link.resource_id, legacy.resource_id),
                "resource_id",
            ),
            (
                same_address(
                    self.ip_address.as_deref(),
                    link.ip_address,
                    legacy.ip_address,
                ),
                "ip_address",
            ),
            (same_json(self.details, link.details), "details"),
            (same_json(self.metadata, link.metadata), "metadata"),
        ];
        checks
            .into_iter()
            .find(|(same, _)| !same)
            .map(|(_, column)| column)
    }
}

fn micros(instant: &str) -> Option<i64> {
    let at: jiff::Timestamp = instant.parse().ok()?;
    Some(at.as_microsecond())
}

fn same_address(canonical: Option<&str>, column: Option<&str>, legacy: bool) -> bool {
    let parsed = |text: &str| text.parse::<std::net::IpAddr>().ok();
    match (canonical, column) {
        (canonical, None) if legacy => {
            canonical.is_none_or(|canonical| parsed(canonical).is_none())
        }
        (Some(canonical), Some(column)) if legacy => {
            canonical == column
                || (parsed(canonical).is_some() && parsed(canonical) == parsed(column))
        }
        (canonical, column) => canonical == column,
    }
}

/// Returns whether a column has the same JSON. A text column of an older table contains the JSON's own text.
fn same_json(canonical: Option<&RawValue>, column: Option<&str>) -> bool {
    let (canonical, column) = match (canonical, column) {
        (None, None) => return true,
        (Some(canonical), Some(column)) => (canonical.get(), column),
        (Some(_), None) | (None, Some(_)) => return false,
    };
    if canonical == column {
        return true;
    }
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    let (Some(canonical_value), Some(column_value)) = (read(canonical), read(column)) else {
        // The value was stored although it cannot be parsed: that does not prove a change.
        return sorted(canonical, MAX_COMPARED_DEPTH)
            .is_some_and(|canonical| sorted(column, MAX_COMPARED_DEPTH) == Some(canonical));
    };
    canonical_value == column_value
        || (column_value.as_str()).is_some_and(|text| read(text) == Some(canonical_value))
}

/// The nesting to which unparsable JSON is compared.
const MAX_COMPARED_DEPTH: usize = 500;

/// Returns JSON with sorted members and without space in between, level by level; none beyond `depth`.
fn sorted(text: &str, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    if text.starts_with('{') {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
        let members = members.into_iter().map(|(name, member)| {
            let name = serde_json::to_string(&name).ok()?;
            Some(format!("{name}:{}", sorted(member.get(), depth)?))
        });
        return Some(format!(
            "{{{}}}",
            members.collect::<Option<Vec<_>>>()?.join(",")
        ));
    }
    if text.starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        let items = items.into_iter().map(|item| sorted(item.get(), depth));
        return Some(format!(
            "[{}]",
            items.collect::<Option<Vec<_>>>()?.join(",")
        ));
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) => serde_json::to_string(&value).ok(),
        // A number that no double can represent has a single spelling in the database.
        Err(_) => Some(text.to_owned()),
    }
}
