//! Web Push: a message to a browser, through the push service that the browser chose (RFC 8030).
//!
//! The body is encrypted for the browser alone (RFC 8291, in the encoding of RFC 8188), and the request is signed with
//! the key by which the browser knows this application (VAPID, RFC 8292). The address comes from outside, so it is only
//! called where it is one of a push service that is known: see [`PushServices`].

mod address;
mod client;
mod encryption;
mod services;
mod subscription;
mod vapid;

pub use address::is_public;
pub use client::{Client, Delivery, Message, Urgency};
pub use encryption::LARGEST_PAYLOAD;
pub use services::{InvalidServices, PushServices};
pub use subscription::{Endpoint, InvalidSubscription, Keys, Subscription};
pub use vapid::{InvalidKey, Vapid};
