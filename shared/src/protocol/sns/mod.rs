//! Messages that Amazon SNS sends over HTTP, and the proof that a topic sent them.
//!
//! A topic asks a new address whether it wants its messages (`SubscriptionConfirmation`), sends what is published
//! (`Notification`) and says when the address gets no more (`UnsubscribeConfirmation`). Each message is a JSON object
//! of texts, signed with RSA; the certificate of the key lies at SNS's own host, and the message says where. So three
//! things make a message believable: it names our topic, its certificate comes from the host of that topic's region
//! over HTTPS, and the signature fits. [`Receiver`] checks them in that order, the cheap ones first, and only what
//! passed is [`Verified`].
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
