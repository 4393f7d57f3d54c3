//! A small SNS: one topic whose messages are signed as Amazon's are, and the certificate to check them with.
//!
//! Formats: <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>.

mod endpoint;
mod key;
mod message;
mod signer;

pub(crate) use endpoint::router;
pub use message::{Kind, Message};
pub use signer::{Error, Signer};

/// The topic that SES's events go to.
pub const TOPIC_ARN: &str = "arn:aws:sns:us-east-1:000000000000:mail-events";
