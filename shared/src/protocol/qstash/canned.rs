//! Additions to the canned server for the QStash tests: a client, and the headers of the protocol.

use std::time::Duration;

use super::client::Client;
use crate::base::secret::Secret;
pub(super) use crate::protocol::canned::{Answer, Request, Server};

impl Request {
    /// Returns the headers of the protocol, sorted.
    pub(super) fn upstash(&self) -> Vec<String> {
        let ours = |(name, value): &(String, String)| {
            name.starts_with("upstash-")
                .then(|| format!("{name}: {value}"))
        };
        let mut lines: Vec<_> = self.headers.iter().filter_map(ours).collect();
        lines.sort();
        lines
    }
}

impl Server {
    pub(super) fn client(&self) -> Client {
        self.client_within(Duration::from_secs(20))
    }

    pub(super) fn client_within(&self, timeout: Duration) -> Client {
        Client::new(&self.url(), &Secret::new("token".into()), timeout).expect("a client")
    }
}
