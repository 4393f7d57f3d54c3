//! The push subscriptions of a user's browsers.

use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::store::Error;
use crate::protocol::postgres::{Parameter, Postgres, Type, column};
use crate::protocol::web_push::{Endpoint, InvalidSubscription, Keys, PushServices, Subscription};

/// Adds a browser; each user keeps the newest twenty.
const PUT: &str = include_str!("subscribe.sql");

/// Removes a browser of a user.
const REMOVE: &str =
    "DELETE FROM signtusk.push_subscriptions WHERE user_id = $1::uuid AND endpoint = $2";

/// A stored push subscription of a browser.
#[derive(Clone, Deserialize)]
pub struct KnownSubscription {
    /// Its id in the database.
    pub id: Uuid,
    endpoint: String,
    keys: KnownKeys,
}

#[derive(Clone, Deserialize)]
struct KnownKeys {
    p256dh: String,
    auth: String,
}

/// Hides the address: knowing it is enough to send.
impl std::fmt::Debug for KnownSubscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KnownSubscription({})", self.id)
    }
}

impl KnownSubscription {
    /// Returns the subscription, if its push service is still a known one.
    pub fn parsed(&self, services: &PushServices) -> Result<Subscription, InvalidSubscription> {
        Ok(Subscription {
            endpoint: Endpoint::parse(&self.endpoint, services)?,
            keys: Keys::parse(&self.keys.p256dh, &self.keys.auth)?,
        })
    }
}

/// An added browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// Its id in the database.
    pub id: Uuid,
    /// Whether it is new.
    pub is_new: bool,
}

/// The browsers in the database.
#[derive(Clone, Debug)]
pub struct Subscriptions(Postgres);

impl Subscriptions {
    /// Returns the browsers of a migrated database.
    #[must_use]
    pub fn new(postgres: Postgres) -> Self {
        Self(postgres)
    }

    /// Adds a browser to a user. A browser of another user moves to this user.
    pub async fn put(
        &self,
        user: Uuid,
        subscription: &Subscription,
        expires: Option<Timestamp>,
    ) -> Result<Subscribed, Error> {
        let user = user.to_string();
        let endpoint = subscription.endpoint.as_str();
        let (p256dh, auth) = (
            subscription.keys.p256dh_text(),
            subscription.keys.auth_text(),
        );
        let expires = expires.map(Timestamp::as_millisecond);
        let parameters: [Parameter<'_>; 5] = [
            (&user, Type::TEXT),
            (&endpoint, Type::TEXT),
            (&p256dh, Type::TEXT),
            (&auth, Type::TEXT),
            (&expires, Type::INT8),
        ];
        let rows = self.0.query_repeatable(PUT, &parameters).await?;
        let row = rows.first().ok_or(Error::Unreadable)?;
        let id: String = column(row, "id")?;
        Ok(Subscribed {
            id: id.parse().map_err(|_| Error::Unreadable)?,
            is_new: column(row, "is_new")?,
        })
    }

    /// Removes a browser of a user. Absent browsers, and those of other users, are ignored.
    pub async fn remove(&self, user: Uuid, endpoint: &str) -> Result<(), Error> {
        let user = user.to_string();
        let parameters: [Parameter<'_>; 2] = [(&user, Type::TEXT), (&endpoint, Type::TEXT)];
        self.0.query_repeatable(REMOVE, &parameters).await?;
        Ok(())
    }
}
