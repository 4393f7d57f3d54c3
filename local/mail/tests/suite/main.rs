//! The providers, the mailbox and the topic as their callers see them.
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
