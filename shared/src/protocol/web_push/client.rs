//! Sends one message to one subscription, in one request.

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

/// The time limit of a push service's answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The urgency of a message (RFC 8030 section 5.3): a device that saves power fetches only urgent ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Can wait until the device is charging.
    Low,
    /// The default.
    Normal,
    /// A person is waiting.
    High,
}

/// A message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The payload for the browser, at most [`super::LARGEST_PAYLOAD`] bytes.
    pub payload: &'a [u8],
    /// How long the push service keeps it for an offline browser.
    pub ttl: Duration,
    /// How urgent it is.
    pub urgency: Urgency,
    /// A topic of 1 to 32 base64url characters. It replaces an undelivered message of the same topic.
    pub topic: &'a str,
}

/// The result of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The push service accepted the message.
    Accepted,
    /// The subscription no longer exists: remove it.
    Gone,
    /// The message is too large for this service.
    TooLarge,
    /// The service rejects the message permanently, with this status.
    Refused(StatusCode),
    /// A limit is reached or the service is down. Retry, after the wait that the service states, if any.
    Later(Option<Duration>),
}

/// A client of all known push services. It does not follow redirects.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    vapid: Vapid,
    clock: Clock,
}

impl Client {
    /// Returns a client that signs with `vapid` and calls only `services`.
    pub fn new(
        vapid: Vapid,
        services: &PushServices,
        clock: Clock,
    ) -> Result<Self, own_http::Error> {
        let resolver = PublicOnly {
            trusted: services.named_hosts(),
        };
        Ok(Self {
            http: own_http::client_with_resolver(TIMEOUT, Arc::new(resolver))?,
            vapid,
            clock,
        })
    }

    /// Sends a message. It does not error: every failure is one of the results.
    pub async fn send(&self, to: &Subscription, message: &Message<'_>) -> Delivery {
        let body = match encrypt(message.payload, &to.keys) {
            Ok(body) => body,
            Err(encryption::Error::TooLong) => return Delivery::TooLarge,
            // Invalid keys stay invalid.
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

/// Maps an answer. Statuses: RFC 8030 section 7 and 8, RFC 8292 section 4.2.
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

/// Returns the seconds of `Retry-After`.
fn wait(response: &Response) -> Option<Duration> {
    own_http::retry_after(response.headers())
}
