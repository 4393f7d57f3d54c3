//! A subscription: server-sent events from `/subscribe`.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::timeout;

use super::error::Error;
use super::path::path;
use super::transport::Transport;

/// The longest accepted event. Our events are much shorter; the limit bounds a line without an end.
const MAX_EVENT: usize = 1 << 20;

/// The time limit for the confirmation of the channels. After that, silence is normal: there may be no events.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// A message published on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The channel.
    pub channel: String,
    /// The published text.
    pub payload: String,
}

/// An open subscription. Dropping it ends it.
#[derive(Debug)]
pub struct Subscription {
    response: reqwest::Response,
    buffer: BytesMut,
    channels: Vec<String>,
}

impl Subscription {
    /// Opens the stream and waits until the store has confirmed every channel.
    pub(super) async fn open(transport: &Transport, channels: &[&str]) -> Result<Self, Error> {
        check(channels)?;
        let path = path(std::iter::once("subscribe").chain(channels.iter().copied()))?;
        let opening = async {
            let mut subscription = Self {
                response: transport.stream(&path).await?,
                buffer: BytesMut::new(),
                channels: channels.iter().copied().map(str::to_owned).collect(),
            };
            for _ in channels {
                let line = subscription.event().await?;
                if !line.is_some_and(|line| line.starts_with(b"subscribe,")) {
                    return Err(Error::Decode("the channels were not confirmed".into()));
                }
            }
            Ok(subscription)
        };
        timeout(OPEN_TIMEOUT, opening)
            .await
            .unwrap_or(Err(Error::Transport {
                sent: true,
                source: None,
            }))
    }

    /// Returns the next message; none if the store has ended the stream.
    pub async fn next(&mut self) -> Result<Option<Message>, Error> {
        while let Some(event) = self.event().await? {
            if let Some(message) = self.message(&event) {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Parses an event `message,<channel>,<payload>`. Both parts may contain commas, so the channel is found by name.
    fn message(&self, event: &[u8]) -> Option<Message> {
        let rest = event.strip_prefix(b"message,")?;
        self.channels.iter().find_map(|channel| {
            let payload = rest.strip_prefix(channel.as_bytes())?.strip_prefix(b",")?;
            Some(Message {
                channel: channel.clone(),
                payload: String::from_utf8_lossy(payload).into_owned(),
            })
        })
    }

    /// Returns the next `data:` line; comments, which keep the connection open, are skipped.
    async fn event(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end + 1).freeze();
                if let Some(data) = line.strip_prefix(b"data: ") {
                    let data = data.strip_suffix(b"\n").unwrap_or(data);
                    let data = data.strip_suffix(b"\r").unwrap_or(data);
                    return Ok(Some(line.slice_ref(data)));
                }
            }
            if self.buffer.len() > MAX_EVENT {
                return Err(Error::Decode("an event is longer than a mebibyte".into()));
            }
            match self.response.chunk().await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        }
    }
}

/// Errors for channels whose messages would be ambiguous, or could not be parsed from one line.
fn check(channels: &[&str]) -> Result<(), Error> {
    let is_ambiguous = |one: &&str| {
        channels
            .iter()
            .filter_map(|other| other.strip_prefix(*one))
            .any(|rest| rest.starts_with(','))
    };
    if channels.is_empty() {
        return Err(Error::Unsendable("a subscription needs a channel"));
    }
    if channels
        .iter()
        .any(|channel| channel.contains(['\n', '\r']))
    {
        return Err(Error::Unsendable("a channel's name is one line"));
    }
    if channels.iter().any(is_ambiguous) {
        return Err(Error::Unsendable(
            "one channel's name begins with another's and a comma",
        ));
    }
    Ok(())
}
