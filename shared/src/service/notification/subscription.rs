//! The browsers that take a user's notifications.

use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::store::Error;
use crate::protocol::postgres::{Parameter, Postgres, Type, column};
use crate::protocol::web_push::{Endpoint, InvalidSubscription, Keys, PushServices, Subscription};

/// Puts a browser on the list; the oldest beyond twenty of a user go.
const PUT: &str = include_str!("subscribe.sql");

/// Takes a browser off a user's list.
const REMOVE: &str =
    "DELETE FROM signtusk.push_subscriptions WHERE user_id = $1::uuid AND endpoint = $2";

/// A browser's subscription as the database has it.
#[derive(Clone, Deserialize)]
pub struct KnownSubscription {
    /// Its id here.
    pub id: Uuid,
    endpoint: String,
    keys: KnownKeys,
}

#[derive(Clone, Deserialize)]
struct KnownKeys {
    p256dh: String,
    auth: String,
}

/// The address lets anybody send who knows it.
impl std::fmt::Debug for KnownSubscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KnownSubscription({})", self.id)
    }
}

impl KnownSubscription {
    /// The subscription, if its push service is still one that is known.
    pub fn parsed(&self, services: &PushServices) -> Result<Subscription, InvalidSubscription> {
        Ok(Subscription {
            endpoint: Endpoint::parse(&self.endpoint, services)?,
            keys: Keys::parse(&self.keys.p256dh, &self.keys.auth)?,
        })
    }
}

/// A browser that stands on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// Its id here.
    pub id: Uuid,
    /// Whether it was not there before.
    pub is_new: bool,
}

/// The browsers in their database.
#[derive(Clone, Debug)]
pub struct Subscriptions(Postgres);

impl Subscriptions {
    /// The browsers of a migrated database.
    #[must_use]
    pub fn new(postgres: Postgres) -> Self {
        Self(postgres)
    }

    /// Puts a browser on a user's list. One that another user has used before is this one's from now on.
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

    /// Takes a browser off a user's list. What is not there, or is somebody else's, is passed over.
    pub async fn remove(&self, user: Uuid, endpoint: &str) -> Result<(), Error> {
        let user = user.to_string();
        let parameters: [Parameter<'_>; 2] = [(&user, Type::TEXT), (&endpoint, Type::TEXT)];
        self.0.query_repeatable(REMOVE, &parameters).await?;
        Ok(())
    }
}
