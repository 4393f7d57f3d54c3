//! Messages that our topic is known to have sent. Nothing else can be acted on.

use std::fmt;

use url::Url;

/// A message whose signature was right. Only [`super::Receiver::verify`] makes one.
#[derive(Debug)]
pub enum Verified {
    /// Something was published.
    Notification(Notification),
    /// This address was subscribed, and may confirm it.
    Subscription(Subscription),
    /// This address was unsubscribed: somebody followed the link that every notification carries.
    Unsubscribed,
}

/// What was published.
pub struct Notification {
    pub(super) message_id: String,
    pub(super) message: String,
}

impl Notification {
    /// The id of what was published, the same each time it is sent.
    #[must_use]
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// The text that was published.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// Shows the id and not the text.
impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Notification({})", self.message_id)
    }
}

/// A subscription that waits for its confirmation.
pub struct Subscription {
    pub(super) url: Url,
}

/// Shows nothing: the link carries the token.
impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription")
    }
}
