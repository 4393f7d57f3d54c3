//! Flow control: the number of simultaneous deliveries per key, and the number per period.
//!
//! Excess messages wait; none is rejected (<https://upstash.com/docs/qstash/features/flowcontrol>).

use std::time::Duration;

use http::Method;
use serde::Deserialize;

use super::api::{Api, Call};
use super::error::Error;
use super::name::FlowKey;
use super::seconds::seconds;

/// The limits of a key, sent with each message. The latest message of a key sets them for the whole key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowControl {
    key: FlowKey,
    parallelism: Option<u32>,
    rate: Option<(u32, Duration)>,
}

impl FlowControl {
    /// Returns an empty flow control for `key`. A message needs at least one limit.
    #[must_use]
    pub fn new(key: FlowKey) -> Self {
        Self {
            key,
            parallelism: None,
            rate: None,
        }
    }

    /// Limits the simultaneous deliveries.
    #[must_use]
    pub fn parallelism(mut self, at_most: u32) -> Self {
        self.parallelism = Some(at_most);
        self
    }

    /// Limits the deliveries started in each `period`: whole seconds, rounded up, one week at most.
    #[must_use]
    pub fn rate(mut self, at_most: u32, period: Duration) -> Self {
        self.rate = Some((at_most, period));
        self
    }

    pub(super) fn key(&self) -> &str {
        self.key.as_str()
    }

    /// Returns the value of `Upstash-Flow-Control-Value`, if there is a limit.
    pub(super) fn value(&self) -> Option<String> {
        let parallelism = self.parallelism.map(|most| format!("parallelism={most}"));
        let rate = self
            .rate
            .map(|(most, period)| format!("rate={most}, period={}", seconds(period)));
        match (parallelism, rate) {
            (Some(parallelism), Some(rate)) => Some(format!("{parallelism}, {rate}")),
            (one, other) => one.or(other),
        }
    }
}

/// The current state of a key.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub struct FlowControlState {
    /// The key.
    pub flow_control_key: String,
    /// Messages waiting for a limit.
    pub wait_list_size: u64,
    /// The limit of simultaneous deliveries; 0 if there is none.
    pub parallelism_max: u64,
    /// Deliveries in progress.
    pub parallelism_count: u64,
    /// The limit of deliveries per period; 0 if there is none.
    pub rate_max: u64,
    /// Deliveries started in the current period.
    pub rate_count: u64,
    /// The period in seconds.
    pub rate_period: u64,
    /// Whether the key is paused: messages are accepted but not delivered.
    pub is_paused: bool,
}

pub(super) async fn flow_control(
    api: &Api,
    key: &FlowKey,
) -> Result<Option<FlowControlState>, Error> {
    let call = Call::new(Method::GET, api.at(&["flowControl", key.as_str()])?).repeatable();
    api.fetch(call).await.map(Some).or_else(Error::absent)
}

pub(super) async fn pause_flow_control(api: &Api, key: &FlowKey) -> Result<(), Error> {
    change_flow_control(api, key, "pause").await
}

pub(super) async fn resume_flow_control(api: &Api, key: &FlowKey) -> Result<(), Error> {
    change_flow_control(api, key, "resume").await
}

async fn change_flow_control(api: &Api, key: &FlowKey, verb: &str) -> Result<(), Error> {
    let url = api.at(&["flowControl", key.as_str(), verb])?;
    let call = Call::new(Method::POST, url).repeatable();
    api.send(call).await.map(drop)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{FlowControl, FlowKey};
    use crate::protocol::qstash::canned::{Answer, Server};

    #[test]
    fn flow_control_limits_are_formatted_for_the_header() {
        let flow = FlowControl::new(FlowKey::derive("k"));
        assert_eq!(flow.value(), None);
        let flow = flow.rate(10, Duration::from_mins(1));
        assert_eq!(flow.value().as_deref(), Some("rate=10, period=60s"));
        let flow = flow.parallelism(5);
        let both = "parallelism=5, rate=10, period=60s";
        assert_eq!(flow.value().as_deref(), Some(both));
    }

    #[tokio::test]
    async fn flow_key_is_read_paused_and_resumed_by_name() {
        let state = r#"{"flowControlKey":"email.high.0","waitListSize":3,"isPaused":true,"new":1}"#;
        let server = Server::answering([
            Answer::json(200, state),
            Answer::json(200, ""),
            Answer::json(200, ""),
            Answer::json(404, r#"{"error":"not found"}"#),
        ]);
        let client = server.client();
        let key = &FlowKey::parse("email.high.0").expect("a key");
        let state = client
            .flow_control(key)
            .await
            .expect("read")
            .expect("known");
        assert_eq!((state.wait_list_size, state.is_paused), (3, true));
        client.pause_flow_control(key).await.expect("paused");
        client.resume_flow_control(key).await.expect("resumed");
        assert_eq!(client.flow_control(key).await.expect("read"), None);
        let path = "/v2/flowControl/email.high.0";
        let lines = [(); 3].map(|()| server.request().line);
        assert_eq!(lines[0], format!("GET {path} HTTP/1.1"));
        assert_eq!(lines[1], format!("POST {path}/pause HTTP/1.1"));
        assert_eq!(lines[2], format!("POST {path}/resume HTTP/1.1"));
    }
}
