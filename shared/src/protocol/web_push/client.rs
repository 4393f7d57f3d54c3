//! Sending: one request for one message to one subscription.

use std::sync::Arc;
use std::time::Duration;

use http::{StatusCode, header};
use reqwest::Response;

use super::address::PublicOnly;
use super::encryption::{self, encrypt};
use super::services::PushServices;
use super::subscription::Subscription;
use super::vapid::Vapid;
use crate::base::causes::causes;
use crate::base::clock::Clock;
use crate::protocol::http as own_http;

/// How long a push service may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How soon a message may be worth reading (RFC 8030 section 5.3): a device that saves power fetches only the higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// What can wait for the next charge.
    Low,
    /// The usual.
    Normal,
    /// Somebody is waiting.
    High,
}

/// A message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// What the browser gets to read, at most [`super::LARGEST_PAYLOAD`] bytes.
    pub payload: &'a [u8],
    /// How long the push service keeps it for a browser that is away.
    pub ttl: Duration,
    /// How urgent it is.
    pub urgency: Urgency,
    /// A name of 1 to 32 characters of base64url: a message that waits is replaced by one of the same name.
    pub topic: &'a str,
}

/// What a push service said to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It has the message.
    Accepted,
    /// It does not know the subscription any more: remove it.
    Gone,
    /// The message is too large for it.
    TooLarge,
    /// It does not take this message, and will not take it later: with the status.
    Refused(StatusCode),
    /// Not now: a limit is met or it is down. Try again, after the wait that it names.
    Later(Option<Duration>),
}

/// A client of all push services that are known. Redirects are not followed.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    vapid: Vapid,
    clock: Clock,
}

impl Client {
    /// A client that signs with `vapid` and reaches what `services` know.
    pub fn new(
        vapid: Vapid,
        services: &PushServices,
        clock: Clock,
    ) -> Result<Self, own_http::Error> {
        let resolver = PublicOnly {
            believed: services.named_hosts(),
        };
        Ok(Self {
            http: own_http::client_with_resolver(TIMEOUT, Arc::new(resolver))?,
            vapid,
            clock,
        })
    }

    /// Sends a message. No error: whatever happens, it is one of the answers.
    pub async fn send(&self, to: &Subscription, message: &Message<'_>) -> Delivery {
        let body = match encrypt(message.payload, &to.keys) {
            Ok(body) => body,
            Err(encryption::Error::TooLong) => return Delivery::TooLarge,
            // Its keys will not become better.
            Err(encryption::Error::Key) => return Delivery::Gone,
        };
        let Ok(authorization) = self
            .vapid
            .authorization(&to.endpoint.origin(), self.clock.now())
        else {
            return Delivery::Later(None);
        };
        let request = self
            .http
            .post(to.endpoint.url().clone())
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header("ttl", message.ttl.as_secs())
            .header("urgency", message.urgency.name())
            .header("topic", message.topic)
            .body(body);
        match request.send().await {
            Ok(response) => delivery_of(&response),
            Err(error) => {
                let error = error.without_url();
                tracing::warn!(
                    error = causes(&error),
                    "push service unavailable; the message is retried"
                );
                Delivery::Later(None)
            }
        }
    }
}

impl Urgency {
    fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

/// What an answer means. Statuses: RFC 8030 section 7 and 8, RFC 8292 section 4.2.
fn delivery_of(response: &Response) -> Delivery {
    match response.status() {
        status if status.is_success() => Delivery::Accepted,
        StatusCode::NOT_FOUND | StatusCode::GONE => Delivery::Gone,
        StatusCode::PAYLOAD_TOO_LARGE => Delivery::TooLarge,
        StatusCode::TOO_MANY_REQUESTS => Delivery::Later(wait(response)),
        status if status.is_server_error() => Delivery::Later(wait(response)),
        status => Delivery::Refused(status),
    }
}

/// The seconds of `Retry-After`.
fn wait(response: &Response) -> Option<Duration> {
    own_http::retry_after(response.headers())
}
