//! What the suite and the benchmark both know; the suite itself stands in `suite/`.

pub mod budget;
pub mod commands;
