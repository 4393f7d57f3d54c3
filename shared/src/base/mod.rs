//! The ground: what the other layers stand on, and what depends on nothing inside this crate.

pub mod bidi;
pub mod causes;
pub mod clock;
pub mod env;
pub mod hex;
pub mod id;
pub mod identity;
pub mod integer;
pub mod json;
pub mod network;
pub mod pointer;
pub mod secret;
