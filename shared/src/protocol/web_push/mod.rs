//! Web Push: a message to a browser, through the browser's push service (RFC 8030).
//!
//! The body is encrypted for the browser (RFC 8291, in the encoding of RFC 8188). The request is signed with the
//! application's key, which the browser knows (VAPID, RFC 8292). The address comes from outside, so only addresses of
//! known push services are called: see [`PushServices`].

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
