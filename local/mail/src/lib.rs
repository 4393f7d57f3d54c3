//! An SES-compatible endpoint that keeps every mail and shows it in the browser.
//!
//! It answers `POST /v2/email/outbound-emails` as Amazon SES does: the same checks, error codes and shapes, so that
//! the AWS SDK needs nothing but `AWS_ENDPOINT_URL_SESV2`. What differs is said where it differs: signatures are read
//! but not proved (there is no account), and a mail goes into the mailbox instead of into the world.

mod authorization;
mod clock;
pub mod events;
mod fault;
mod listener;
mod mail;
mod mailbox;
mod refusal;
mod send_email;
mod server;
mod store;

pub use fault::{Fault, Faults};
pub use mail::{Header, Mail};
pub use refusal::Code;
pub use server::{Error, Server, Settings, start};
