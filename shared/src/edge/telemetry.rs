//! Logs as JSON lines, which CloudWatch indexes.

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::base::env::{self, Error};

/// Starts logging at `LOG_LEVEL` (error, warn, info, debug, trace; info if unset), or at debug when `DEBUG=true`.
///
/// Only this crate logs below info: at those levels, the Lambda runtime and other crates log whole events, including
/// tokens and addresses.
pub fn init() -> Result<(), Error> {
    let asked = if env::optional("DEBUG").as_deref() == Some("true") {
        Level::DEBUG
    } else {
        env::parsed_or("LOG_LEVEL", Level::INFO)?
    };
    let levels = Targets::new()
        .with_default(asked.min(Level::INFO))
        .with_target(env!("CARGO_CRATE_NAME"), asked);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(LevelFilter::from_level(asked))
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .finish()
        .with(levels)
        .init();
    Ok(())
}
