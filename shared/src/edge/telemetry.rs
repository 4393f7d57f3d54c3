//! Logs as JSON lines, which CloudWatch indexes.

use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

use crate::base::env::{self, Error};

/// Starts logging at `LOG_LEVEL` (error, warn, info, debug, trace; info if unset), or at debug when `DEBUG=true`.
pub fn init() -> Result<(), Error> {
    let asked = if env::optional("DEBUG").as_deref() == Some("true") {
        Level::DEBUG
    } else {
        env::parsed_or("LOG_LEVEL", Level::INFO)?
    };
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(LevelFilter::from_level(asked))
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .init();
    Ok(())
}
