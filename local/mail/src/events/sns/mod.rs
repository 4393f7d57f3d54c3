//! A small SNS: one topic that signs its messages as Amazon does, and the certificate to verify them.
//!
//! Formats: <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>.

mod endpoint;
mod key;
mod message;
mod signer;

pub(crate) use endpoint::router;
pub use message::{Kind, Message};
pub use signer::{Error, Signer};

/// The topic of SES events.
pub const TOPIC_ARN: &str = "arn:aws:sns:us-east-1:000000000000:mail-events";
