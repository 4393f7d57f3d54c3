//! A subscription: server-sent events from `/subscribe`.

use bytes::{Bytes, BytesMut};

use super::error::Error;
use super::exchange::Exchange;

/// The longest event that is accepted. What the functions publish is far below; a line that never ends is not kept.
const LONGEST_EVENT: usize = 1 << 20;

/// A message that was published on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The channel.
    pub channel: String,
    /// What was published.
    pub payload: String,
}

/// An open subscription. Dropping it ends it.
#[derive(Debug)]
pub struct Subscription {
    response: reqwest::Response,
    buffer: BytesMut,
}

impl Subscription {
    /// Opens the stream and waits until the store has confirmed every channel.
    pub(super) async fn open(exchange: &Exchange, channels: &[&str]) -> Result<Self, Error> {
        let mut path = String::from("/subscribe");
        for channel in channels {
            path.push('/');
            path.extend(url::form_urlencoded::byte_serialize(channel.as_bytes()));
        }
        let mut subscription = Self {
            response: exchange.stream(&path).await?,
            buffer: BytesMut::new(),
        };
        for _ in channels {
            let line = subscription.event().await?;
            if !line.is_some_and(|line| line.starts_with(b"subscribe,")) {
                return Err(Error::Decode("the channels were not confirmed".into()));
            }
        }
        Ok(subscription)
    }

    /// The next message; none when the store has ended the stream.
    pub async fn next(&mut self) -> Result<Option<Message>, Error> {
        while let Some(event) = self.event().await? {
            let text = String::from_utf8_lossy(&event);
            let mut parts = text.splitn(3, ',');
            if let (Some("message"), Some(channel), Some(payload)) =
                (parts.next(), parts.next(), parts.next())
            {
                return Ok(Some(Message {
                    channel: channel.to_owned(),
                    payload: payload.to_owned(),
                }));
            }
        }
        Ok(None)
    }

    /// The next `data:` line; comments, which keep the connection open, are passed over.
    async fn event(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end + 1).freeze();
                if let Some(data) = line.strip_prefix(b"data: ") {
                    return Ok(Some(line.slice_ref(data.trim_ascii_end())));
                }
            }
            if self.buffer.len() > LONGEST_EVENT {
                return Err(Error::Decode("an event is longer than a mebibyte".into()));
            }
            match self.response.chunk().await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        }
    }
}
