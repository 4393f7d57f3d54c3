//! Messages to browsers: best effort beside the inbox, and each browser gets a notification once if its service says so.

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

/// Messages under way at once.
const PARALLEL: usize = 8;

/// What must be left of the time before another message is begun: its own five seconds, and noting it down.
const TIME_FOR_ONE: Duration = Duration::from_secs(7);

/// How long a push service keeps a message for a browser that is away: a day later the inbox is the better place.
const TTL: Duration = Duration::from_hours(24);

/// How much of a message's text is shown, in characters; less where it does not fit.
const MESSAGE_LENGTHS: [usize; 4] = [500, 200, 50, 0];

/// Tells browsers.
pub(crate) struct Pusher {
    client: Client,
    services: PushServices,
}

/// What came of the messages of one part.
#[derive(Debug, Default)]
pub(crate) struct Pushes {
    /// Browsers that need no message any more.
    pub(crate) settled: Vec<Pushed>,
    /// Subscriptions that are no more.
    pub(crate) gone: Vec<Uuid>,
    /// Messages that a push service took.
    pub(crate) accepted: u64,
    /// Messages that none will take.
    pub(crate) refused: u64,
    /// Messages that may be taken later.
    pub(crate) later: u64,
    /// How long to stay away, where a push service said so.
    pub(crate) wait: Option<Duration>,
}

impl Pusher {
    /// A pusher with the keys of the environment; none where there are none, and then nobody is pushed to.
    pub(crate) fn from_env() -> Result<Option<Self>, env::Error> {
        let Some(public) = env::optional("VAPID_PUBLIC_KEY") else {
            return Ok(None);
        };
        let private = env::secret("VAPID_PRIVATE_KEY")?;
        // Whom push services may turn to: the page of the application.
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

    /// Tells every browser of these notifications that has not been told, as far as the time reaches.
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

    /// One message to one browser; none where its subscription cannot be used.
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

    /// The message as far as it fits; shorter where the push service takes no long ones.
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

/// A message that is to be brought to a browser.
struct PushMessage<'a> {
    place: i32,
    item: &'a InboxItem,
    unread: i64,
    known: &'a KnownSubscription,
}

/// What there is to bring, in the order of the notifications.
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

/// Whom somebody waits for is woken at once.
fn urgency(kind: &str) -> Urgency {
    match kind {
        "signature_request" | "sequential_signature_request" => Urgency::High,
        _ => Urgency::Normal,
    }
}

/// What the service worker shows: `id` tells a message that comes twice, and replaces it on the screen.
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

/// What fits everywhere: the service worker fetches the rest.
fn shortest(item: &InboxItem) -> Vec<u8> {
    let text = json!({ "id": item.id, "type": item.kind, "title": cut(&item.title, 50) });
    text.to_string().into_bytes()
}

/// The beginning of a text, marked where it goes on.
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
