//! The local cloud: all services that the functions use, started together.
//!
//! [`cloud`] starts the parts and returns their addresses. [`process`], [`redis_server`] and [`postgres`] run external
//! programs. [`command`] is the command line. Everything listens only on loopback.

pub mod cloud;
pub mod command;
pub mod demo;
pub mod event;
pub mod postgres;
pub mod process;
pub mod redis_server;
