//! QStash, Upstash's message broker that delivers by HTTP (<https://upstash.com/docs/qstash>).
//!
//! `POST /v2/publish/{destination}` publishes a message. The body is delivered unchanged. `Upstash-*` headers set its
//! delay, retries, timeout, flow control and label. QStash calls the destination until it answers 2xx, or 489 with
//! `Upstash-NonRetryable-Error: true`, or the retries are used up. A failed message moves to the dead-letter queue.
//! Delivery is at least once. Every delivery has a JSON Web Token (HS256, RFC 7515 and 7519) over the destination and
//! the SHA-256 of the body.
//!
//! Two sides, which share only the protocol:
//!
//! - [`Client`] publishes [`Message`]s, and reads and changes schedules, messages, dead letters and flow control.
//! - [`Receiver`] turns a delivery into [`Verified`], the only type that can be decoded.

mod api;
mod batch;
mod builder;
#[cfg(test)]
mod canned;
mod claims;
mod client;
mod delivery;
mod dlq;
mod error;
mod flow_control;
#[cfg(test)]
mod forged;
mod message;
mod messages;
mod name;
mod publish;
mod receiver;
mod reply;
mod schedules;
mod seconds;
mod token;
mod verified;

pub use batch::Refusal;
pub use builder::{Builder, MAX_BODY};
pub use client::{Client, DEFAULT_TIMEOUT};
pub use delivery::Delivery;
pub use dlq::{DeadLetter, DeadLetterFilter, DeadLetterPage};
pub use error::{Error, SetupError};
pub use flow_control::{FlowControl, FlowControlState};
pub use message::{Message, MessageError};
pub use messages::StoredMessage;
pub use name::{DeduplicationId, FlowKey, InvalidName, Label, MAX_NAME, ScheduleId};
pub use publish::Published;
pub use receiver::{LEEWAY, Receiver, ReceiverError};
pub use schedules::Schedule;
pub use token::{MAX_TOKEN_BYTES, Part, SignatureError};
pub use verified::{DecodeError, Verified};
