//! The mail providers on one machine: they store every mail and show it in the browser.
//!
//! [`ses`] answers `POST /v2/email/outbound-emails` as Amazon SES does, and [`resend`] answers `POST /emails` as Resend
//! does, with the same checks, error codes and structures. The AWS SDK needs only `AWS_ENDPOINT_URL_SESV2`, and
//! Resend's client only another base URL. Each module documents its differences. AWS signatures are parsed but not
//! verified, because there is no account. Mails go to the mailbox instead of the recipients. [`events`] creates the
//! providers' later events about a mail.

mod account;
mod address;
mod clock;
pub mod events;
mod fault;
mod listener;
mod mail;
mod mailbox;
mod rate;
pub mod resend;
mod server;
pub mod ses;
mod store;

pub use fault::{Fault, Faults};
pub use mail::{Header, Mail, Provider, Tag, UnknownProvider};
pub use server::{Error, Server, Settings, start};
pub use ses::Code;
