//! What the providers say about a mail after they took it: SES through an SNS topic, Resend by webhook.

pub mod sns;
pub mod svix;
