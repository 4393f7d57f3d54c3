//! Messages that Amazon SNS sends over HTTP, and their verification.
//!
//! A topic asks a new address to confirm its subscription (`SubscriptionConfirmation`), sends published messages
//! (`Notification`), and reports the end of a subscription (`UnsubscribeConfirmation`). Each message is a JSON object
//! of strings, signed with RSA. It contains the URL of the certificate on SNS's own host. So a message is trusted under
//! three conditions: it names our topic, its certificate comes from the host of the topic's region over HTTPS, and the
//! signature matches. [`Receiver`] checks them in this order, the cheapest first, and returns [`Verified`].
//!
//! Sources: <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>,
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html>.

mod certificate;
mod certificates;
mod error;
mod message;
mod origin;
mod receiver;
mod topic;
mod verified;

pub use error::{Error, Refusal, Unreachable};
pub use origin::{InvalidOrigin, Origin};
pub use receiver::{Receiver, SetupError};
pub use topic::{InvalidTopicArn, TopicArn};
pub use verified::{Notification, Subscription, Verified};
