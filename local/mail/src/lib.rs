//! The mail providers on one machine: they keep every mail and show it in the browser.
//!
//! [`ses`] answers `POST /v2/email/outbound-emails` as Amazon SES does and [`resend`] answers `POST /emails` as Resend
//! does: the same checks, error codes and shapes, so that the AWS SDK needs nothing but `AWS_ENDPOINT_URL_SESV2` and
//! Resend's client nothing but another base URL. What differs is said where it differs: AWS signatures are read but not
//! proved (there is no account), and a mail goes into the mailbox instead of into the world. What the providers tell of
//! a mail afterwards is made in [`events`].

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
