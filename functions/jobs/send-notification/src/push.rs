//! Messages to browsers: best effort beside the inbox. Each browser gets a notification once if its service confirms
//! it.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use shared::base::clock::Clock;
use shared::base::env;
use shared::protocol::web_push::{
    Client, Delivery, LARGEST_PAYLOAD, Message, PushServices, Subscription, Urgency, Vapid,
};
use shared::service::mail::payload::HttpUrl;
use shared::service::notification::{InboxItem, KnownSubscription, NotificationResult, Pushed};
use tokio::time::Instant;
use uuid::Uuid;

/// Messages in progress at once.
const PARALLEL: usize = 8;

/// The time required before another message starts: its timeout of five seconds, and recording it.
const TIME_FOR_ONE: Duration = Duration::from_secs(7);

/// How long a push service keeps a message for an offline browser. After a day, the inbox is the better place.
const TTL: Duration = Duration::from_hours(24);

/// The lengths to which a message's text is cut, in characters. A shorter one is used if the longer does not fit.
const MESSAGE_LENGTHS: [usize; 4] = [500, 200, 50, 0];

/// Sends messages to browsers.
pub(crate) struct Pusher {
    client: Client,
    services: PushServices,
}

/// The result of one part's messages.
#[derive(Debug, Default)]
pub(crate) struct Pushes {
    /// Browsers that need no further message.
    pub(crate) settled: Vec<Pushed>,
    /// Subscriptions that no longer exist.
    pub(crate) gone: Vec<Uuid>,
    /// Messages that a push service accepted.
    pub(crate) accepted: u64,
    /// Messages that no push service will accept.
    pub(crate) refused: u64,
    /// Messages that may be accepted later.
    pub(crate) later: u64,
    /// The wait that a push service asks for, if any.
    pub(crate) wait: Option<Duration>,
}

impl Pusher {
    /// Creates a pusher with the keys of the environment; none without keys: then no message is pushed.
    pub(crate) fn from_env() -> Result<Option<Self>, env::Error> {
        let Some(public) = env::optional("VAPID_PUBLIC_KEY") else {
            return Ok(None);
        };
        let private = env::secret("VAPID_PRIVATE_KEY")?;
        // The contact for push services: the application's page.
        let contact: HttpUrl = env::parsed("APP_URL")?;
        let malformed = |reason: String| env::Error::Malformed {
            name: "VAPID_PUBLIC_KEY",
            reason,
        };
        let vapid = Vapid::new(&public, &private, contact.as_str())
            .map_err(|error| malformed(error.to_string()))?;
        let services = PushServices::from_env()?;
        let client = Client::new(vapid, &services, Clock::system())
            .map_err(|error| malformed(error.to_string()))?;
        Ok(Some(Self { client, services }))
    }

    /// Sends these notifications to every browser that has not received them, while time is left.
    pub(crate) async fn push(&self, results: &[NotificationResult], deadline: Instant) -> Pushes {
        let mut pushes = Pushes::default();
        let push_messages = push_messages(results);
        for group in push_messages.chunks(PARALLEL) {
            let mut sending = Vec::with_capacity(PARALLEL);
            for push_message in group {
                sending.push(self.run(push_message, deadline));
            }
            for (push_message, delivery) in group.iter().zip(join_all(sending).await) {
                pushes.count(push_message, delivery);
            }
        }
        pushes
    }

    /// Sends one message to one browser; none if its subscription is unusable.
    async fn run(&self, push_message: &PushMessage<'_>, deadline: Instant) -> Option<Delivery> {
        match push_message.known.parsed(&self.services) {
            Ok(_) if deadline.duration_since(Instant::now()) < TIME_FOR_ONE => {
                Some(Delivery::Later(None))
            }
            Ok(subscription) => Some(self.send(push_message, &subscription).await),
            Err(error) => {
                tracing::warn!(
                    %error,
                    subscription = %push_message.known.id,
                    "push subscription invalid; no message sent"
                );
                None
            }
        }
    }

    /// Sends the message at the greatest length that fits; shorter if the push service rejects long ones.
    async fn send(&self, push_message: &PushMessage<'_>, to: &Subscription) -> Delivery {
        let item = push_message.item;
        match self
            .post(item, to, &payload(item, push_message.unread))
            .await
        {
            Delivery::TooLarge => self.post(item, to, &shortest(item)).await,
            other => other,
        }
    }

    async fn post(&self, item: &InboxItem, to: &Subscription, payload: &[u8]) -> Delivery {
        let message = Message {
            payload,
            ttl: TTL,
            urgency: urgency(&item.kind),
            topic: &item.id.simple().to_string(),
        };
        self.client.send(to, &message).await
    }
}

/// A message for a browser.
struct PushMessage<'a> {
    place: i32,
    item: &'a InboxItem,
    unread: i64,
    known: &'a KnownSubscription,
}

/// Returns the messages to send, in the order of the notifications.
fn push_messages(results: &[NotificationResult]) -> Vec<PushMessage<'_>> {
    let mut push_messages = Vec::new();
    for result in results {
        let Some(item) = &result.item else { continue };
        push_messages.extend(result.subscriptions.iter().map(|known| PushMessage {
            place: result.place,
            item,
            unread: result.unread.count,
            known,
        }));
    }
    push_messages
}

impl Pushes {
    fn count(&mut self, push_message: &PushMessage<'_>, delivery: Option<Delivery>) {
        let browser = Pushed {
            place: push_message.place,
            subscription: push_message.known.id,
        };
        match delivery {
            Some(Delivery::Accepted) => {
                self.accepted += 1;
                self.settled.push(browser);
            }
            Some(Delivery::Gone) => self.gone.push(browser.subscription),
            Some(Delivery::Later(wait)) => {
                self.later += 1;
                self.wait = self.wait.max(wait);
            }
            Some(Delivery::TooLarge) | None => {
                self.refused += 1;
                self.settled.push(browser);
            }
            Some(Delivery::Refused(status)) => {
                tracing::error!(%status, "push service rejected a message; it is not retried");
                self.refused += 1;
                self.settled.push(browser);
            }
        }
    }
}

/// Returns the urgency. Types that another person waits for wake the device at once.
fn urgency(kind: &str) -> Urgency {
    match kind {
        "signature_request" | "sequential_signature_request" => Urgency::High,
        _ => Urgency::Normal,
    }
}

/// Returns the payload for the service worker. Its `id` identifies a repeated message, which replaces the shown one.
fn payload(item: &InboxItem, unread: i64) -> Vec<u8> {
    let texts = MESSAGE_LENGTHS.iter().map(|length| {
        json!({
            "id": item.id,
            "type": item.kind,
            "title": item.title,
            "message": cut(&item.message, *length),
            "actionUrl": item.action_url,
            "unreadCount": unread,
        })
        .to_string()
        .into_bytes()
    });
    let fitting = texts.into_iter().find(|text| text.len() <= LARGEST_PAYLOAD);
    fitting.unwrap_or_else(|| shortest(item))
}

/// Returns the payload that always fits: the service worker fetches the rest.
fn shortest(item: &InboxItem) -> Vec<u8> {
    let text = json!({ "id": item.id, "type": item.kind, "title": cut(&item.title, 50) });
    text.to_string().into_bytes()
}

/// Returns the beginning of a text, marked if it is cut.
fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use shared::protocol::web_push::LARGEST_PAYLOAD;
    use shared::service::notification::InboxItem;

    use super::{cut, payload, shortest};

    #[test]
    fn push_payload_of_any_text_fits_the_limit() {
        for filler in ["x", "\"", "\u{1f58b}"] {
            let item: InboxItem = serde_json::from_value(serde_json::json!({
                "id": "01985c00-0000-7000-8000-000000000001",
                "userId": "01985c00-0000-7000-8000-000000000001",
                "type": "x".repeat(50), "title": filler.repeat(255), "message": filler.repeat(5000),
                "metadata": {}, "actionUrl": "\"".repeat(500), "isRead": false,
                "createdAt": "2026-11-25T10:00:00Z",
            }))
            .unwrap();
            assert!(payload(&item, i64::MAX).len() <= LARGEST_PAYLOAD);
            assert!(shortest(&item).len() < 500);
        }
    }

    #[test]
    fn cut_text_ends_with_an_ellipsis() {
        assert_eq!(cut("Zoë", 3), "Zoë");
        assert_eq!(cut("Zoë O", 3), "Zoë…");
    }
}
