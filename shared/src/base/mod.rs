//! The base layer: modules that the other layers use, and that depend on nothing else in this crate.

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
