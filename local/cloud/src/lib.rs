//! The local cloud: everything the functions talk to, brought up together.
//!
//! [`cloud`] starts the parts and hands their addresses out; [`process`], [`redis_server`] and [`postgres`] run the
//! programs that are not ours; [`command`] is the command line. Everything listens on loopback only.

pub mod cloud;
pub mod command;
pub mod demo;
pub mod event;
pub mod postgres;
pub mod process;
pub mod redis_server;
