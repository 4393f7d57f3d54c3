//! Verified messages of our topic: only these are processed.

use std::fmt;

use url::Url;

/// A message with a valid signature. Only [`super::Receiver::verify`] creates one.
#[derive(Debug)]
pub enum Verified {
    /// A published message.
    Notification(Notification),
    /// A request to confirm the subscription of this address.
    Subscription(Subscription),
    /// This address was unsubscribed through the link in a notification.
    Unsubscribed,
}

/// A published message.
pub struct Notification {
    pub(super) message_id: String,
    pub(super) message: String,
}

impl Notification {
    /// Returns the id of the published message, the same in each delivery.
    #[must_use]
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// Returns the published text.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// Shows the id, not the text.
impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Notification({})", self.message_id)
    }
}

/// A subscription that needs confirmation.
pub struct Subscription {
    pub(super) url: Url,
}

/// Shows nothing: the link contains the token.
impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription")
    }
}
