//! Tests of the providers, the mailbox and the topic from their callers' side.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code outside of test functions, too"
)]

mod content;
mod events;
mod http_client;
mod mailbox;
mod receiver;
mod resend;
mod ses;
mod sns;
