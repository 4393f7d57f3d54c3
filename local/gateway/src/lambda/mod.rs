//! Lambda: instances of the deployed binaries, each with its own Runtime API.

pub(crate) mod environment;
mod fleet;
mod function;
mod instance;
mod invocation;
pub(crate) mod log;
mod queue;
mod runtime_api;
mod termination;

pub(crate) use function::Function;
