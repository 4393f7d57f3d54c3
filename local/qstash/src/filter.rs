//! The filters of listings and bulk actions.
//!
//! Values repeat (`label=a&label=b`) or are joined by commas. In every given field, one of the values must match. An
//! unknown name is rejected, because a bulk action with a mistyped filter would select everything.

use std::collections::BTreeMap;

use crate::event::State;
use crate::message::Message;
use crate::store::Order;

/// The default and maximum size of a page: of the log, of the dead-letter queue.
const PAGE: usize = 100;

/// The maximum number of messages that one call cancels.
pub(crate) const MAX_CANCELLED: usize = 500;

/// Parameters of the request, not of the filter.
const IGNORED: [&str; 3] = ["qstash_token", "groupby", "async"];

/// Why a query is not a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// The name is unknown.
    #[error("unknown filter `{0}`")]
    Unknown(String),
    /// The value is invalid.
    #[error("invalid value `{value}` of filter `{name}`")]
    Value {
        /// The filter.
        name: String,
        /// The value.
        value: String,
    },
    /// The count exceeds the maximum of one call.
    #[error("count is {count}: at most {most} are possible")]
    Count {
        /// The requested count.
        count: usize,
        /// The maximum.
        most: usize,
    },
}

/// A parsed filter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// Message ids.
    pub(crate) message_ids: Vec<String>,
    /// Ids in the dead-letter queue.
    pub(crate) dlq_ids: Vec<String>,
    /// The requested number of items.
    pub(crate) count: Option<usize>,
    /// The given conditions, with the caller's names and values.
    pub(crate) given: BTreeMap<String, Vec<String>>,
    /// The end of the previous page.
    pub(crate) cursor: Option<String>,
    /// The order of the items.
    pub(crate) order: Order,
    urls: Vec<String>,
    hosts: Vec<String>,
    paths: Vec<String>,
    url_groups: Vec<String>,
    schedule_ids: Vec<String>,
    queues: Vec<String>,
    caller_ips: Vec<String>,
    labels: Vec<String>,
    flow_keys: Vec<String>,
    states: Vec<String>,
    statuses: Vec<String>,
    from_ms: Option<u64>,
    to_ms: Option<u64>,
}

impl Filter {
    /// Parses a query.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Error> {
        let mut filter = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let key = name.to_ascii_lowercase();
            if IGNORED.contains(&key.as_str()) || key.starts_with("upstash-") {
                continue;
            }
            filter.add(&name, &value)?;
        }
        Ok(filter)
    }

    /// Adds one more condition, or one more value of a condition.
    pub(crate) fn add(&mut self, name: &str, value: &str) -> Result<(), Error> {
        self.set(&name.to_ascii_lowercase(), name, value)?;
        let values = self.given.entry(name.to_owned()).or_default();
        values.push(value.to_owned());
        Ok(())
    }

    fn set(&mut self, key: &str, name: &str, value: &str) -> Result<(), Error> {
        if let Some(list) = self.list(key) {
            list.extend(
                value
                    .split(',')
                    .map(str::trim)
                    .filter(|part| !part.is_empty())
                    .map(str::to_owned),
            );
            return Ok(());
        }
        let wrong = || Error::Value {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        match key {
            // A URL may contain a comma.
            "url" => self.urls.push(value.to_owned()),
            "fromdate" => self.from_ms = Some(value.parse().map_err(|_| wrong())?),
            "todate" => self.to_ms = Some(value.parse().map_err(|_| wrong())?),
            "count" => self.count = Some(value.parse().ok().filter(|n| *n > 0).ok_or_else(wrong)?),
            "cursor" => self.cursor = Some(value.to_owned()).filter(|cursor| !cursor.is_empty()),
            "order" => self.order = order(value).ok_or_else(wrong)?,
            _ => return Err(Error::Unknown(name.to_owned())),
        }
        Ok(())
    }

    fn list(&mut self, key: &str) -> Option<&mut Vec<String>> {
        Some(match key {
            "messageid" | "messageids" => &mut self.message_ids,
            "dlqid" | "dlqids" => &mut self.dlq_ids,
            "host" => &mut self.hosts,
            "path" => &mut self.paths,
            "topicname" | "urlgroup" => &mut self.url_groups,
            "scheduleid" => &mut self.schedule_ids,
            "queuename" => &mut self.queues,
            "callerip" => &mut self.caller_ips,
            "label" | "labels" => &mut self.labels,
            "flowcontrolkey" => &mut self.flow_keys,
            "state" => &mut self.states,
            "responsestatus" => &mut self.statuses,
            _ => return None,
        })
    }

    /// Returns the size of a page.
    pub(crate) fn page(&self) -> Result<usize, Error> {
        Ok(self.count_within(PAGE)?.unwrap_or(PAGE))
    }

    /// Returns the requested number of items, if any. Errors if it exceeds `most`.
    pub(crate) fn count_within(&self, most: usize) -> Result<Option<usize>, Error> {
        match self.count {
            Some(count) if count > most => Err(Error::Count { count, most }),
            count => Ok(count),
        }
    }

    /// Returns whether a message matches. `at_ms` is the wall-clock time for the comparison with dates.
    pub(crate) fn fits(&self, message: &Message, at_ms: u64) -> bool {
        let name = |name: &Option<crate::name::Name>| name.as_ref().map(ToString::to_string);
        let flow_key = message
            .options
            .flow_control
            .as_ref()
            .map(|flow| flow.key.as_str().to_owned());
        let queue = message
            .place
            .as_ref()
            .filter(|place| place.root == message.id)
            .map(|place| place.queue.to_string());
        one_of(&self.message_ids, Some(message.id.as_str()))
            && one_of(&self.urls, Some(message.target.as_str()))
            && one_of(&self.hosts, Some(message.target.host()))
            && one_of(&self.paths, Some(message.target.path()))
            && one_of(&self.url_groups, name(&message.url_group).as_deref())
            && one_of(&self.schedule_ids, name(&message.schedule_id).as_deref())
            && one_of(&self.queues, queue.as_deref())
            && one_of(&self.caller_ips, Some(&message.caller_ip))
            && one_of(&self.flow_keys, flow_key.as_deref())
            && (self.labels.is_empty()
                || message
                    .options
                    .labels
                    .iter()
                    .any(|label| self.labels.contains(label)))
            && self.from_ms.is_none_or(|from_ms| at_ms >= from_ms)
            && self.to_ms.is_none_or(|to_ms| at_ms <= to_ms)
    }

    /// Returns whether the status of a response matches. Without a response, it matches if the filter has no status.
    pub(crate) fn fits_status(&self, status: Option<u16>) -> bool {
        one_of(
            &self.statuses,
            status.map(|status| status.to_string()).as_deref(),
        )
    }

    /// Returns whether a state matches.
    pub(crate) fn fits_state(&self, state: State) -> bool {
        self.states.is_empty() || self.states.iter().any(|name| state.is(name))
    }
}

fn one_of(wanted: &[String], value: Option<&str>) -> bool {
    wanted.is_empty() || value.is_some_and(|value| wanted.iter().any(|wanted| wanted == value))
}

fn order(value: &str) -> Option<Order> {
    match value.to_ascii_lowercase().as_str() {
        "earliestfirst" => Some(Order::EarliestFirst),
        "latestfirst" => Some(Order::LatestFirst),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_filter_name_is_refused() {
        assert_eq!(
            Filter::parse(Some("labeel=x")).err(),
            Some(Error::Unknown("labeel".to_owned()))
        );
    }

    #[test]
    fn filter_values_may_repeat_or_be_joined() {
        let filter = Filter::parse(Some("label=a,b&label=c&url=https://x/?a,b")).expect("parses");
        assert_eq!(filter.labels, ["a", "b", "c"]);
        assert_eq!(filter.urls, ["https://x/?a,b"]);
    }

    #[test]
    fn invalid_filter_number_is_refused() {
        for query in ["count=0", "count=x", "fromDate=yesterday", "order=random"] {
            assert!(Filter::parse(Some(query)).is_err(), "{query}");
        }
    }
}
