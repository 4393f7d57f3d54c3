//! Real-time events: each is published once, kept for later readers, and stored as the newest one.
//!
//! One script adds an event to a capped stream, from which readers resume, and to a status key for the current state. A
//! PUBLISH in the same request wakes listeners. Pub/sub delivers it at most once, and perhaps twice if an answer was
//! lost.

use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::base::id;
use crate::protocol::upstash::{self, Command, Invocation, Pipeline, Redis, Script, key_locked};
use crate::service::key::Family;

/// The approximate number of events in a channel's stream.
const MAX_EVENTS: usize = 256;

/// How long a channel is kept after its last event.
const LIFE: Duration = Duration::from_hours(2);

/// The events of a channel.
pub const EVENTS: Family = Family {
    pattern: "events:{channel}",
    kind: "stream",
    life: "2 hours after the last event; about 256 events",
};

/// The newest event of a request's document, under the web app's key name.
pub const DOCUMENT_STATUS: Family = Family {
    pattern: "doc_status:{requestId}",
    kind: "string",
    life: "2 hours after the last event",
};

/// The newest event of a request's signing progress.
pub const PROGRESS: Family = Family {
    pattern: "progress:{requestId}",
    kind: "string",
    life: "2 hours after the last event",
};

/// All families of this service.
pub const KEYS: &[&Family] = &[&EVENTS, &DOCUMENT_STATUS, &PROGRESS];

static PUBLISH: Script = Script::repeatable(key_locked!(include_str!("publish.lua")));

/// Why an event was not published.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error("the event was not published")]
    Store(#[from] upstash::Error),
    /// The data cannot be serialized as JSON.
    #[error("the event's data cannot be serialized")]
    Data(#[from] serde_json::Error),
}

/// The channel of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel<'a> {
    /// Events of a request's document.
    Document(&'a str),
    /// The signing progress of a request.
    SigningProgress(&'a str),
    /// The notifications of a user.
    UserNotifications(&'a str),
}

impl Channel<'_> {
    /// Returns the pub/sub channel, as the web app names it.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Document(request) => format!("document:{request}"),
            Self::SigningProgress(request) => format!("signature_progress:{request}"),
            Self::UserNotifications(user) => format!("user:{user}:notifications"),
        }
    }

    /// Returns the key of the newest event; a user's notifications are in the database.
    fn status_key(self) -> Option<String> {
        match self {
            Self::Document(request) => Some(DOCUMENT_STATUS.key(request)),
            Self::SigningProgress(request) => Some(PROGRESS.key(request)),
            Self::UserNotifications(_) => None,
        }
    }
}

/// An event that is ready to be published.
#[derive(Clone, Debug)]
pub struct Event {
    keep: Invocation,
    wake: Command,
}

impl Event {
    /// Returns an event on a channel.
    pub fn new(
        channel: Channel<'_>,
        kind: &str,
        data: &impl Serialize,
    ) -> Result<Self, serde_json::Error> {
        let name = channel.name();
        let mut keep = PUBLISH.invoke().key(EVENTS.key(&name));
        if let Some(status) = channel.status_key() {
            keep = keep.key(status);
        }
        let data = serde_json::value::to_raw_value(data)?;
        let keep = keep
            .arg(kind)
            .arg(data.get())
            .arg(MAX_EVENTS)
            .arg(LIFE.as_millis())
            .arg(id::nonce());
        let message = serde_json::to_string(&Message { kind, data: &data })?;
        // A listener that is woken twice finds nothing new the second time.
        let wake = Command::new("PUBLISH").arg(name).arg(message).repeatable();
        Ok(Self { keep, wake })
    }

    /// Adds the two calls that publish the event to a pipeline. They return the event's id and the number of listeners.
    #[must_use]
    pub fn join(self, pipeline: Pipeline) -> Pipeline {
        pipeline.script(self.keep).following(self.wake)
    }
}

/// The message to a listener: the event's content without its id, which only the stream has.
#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    data: &'a RawValue,
}

/// Publishes an event, in one request, and returns its id, which is its position in the stream.
pub async fn publish(
    redis: &Redis,
    channel: Channel<'_>,
    kind: &str,
    data: &impl Serialize,
) -> Result<String, Error> {
    let event = Event::new(channel, kind, data)?;
    let mut replies = redis.pipeline(event.join(Pipeline::new())).await?;
    // The event is stored even if no listener was woken: pub/sub has no guarantee, and listeners also read the stream.
    Ok(replies.take()?)
}
