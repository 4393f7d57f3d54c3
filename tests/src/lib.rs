//! Code that the suite and the benchmark share; the suite itself is in `suite/`.

pub mod budget;
pub mod commands;
