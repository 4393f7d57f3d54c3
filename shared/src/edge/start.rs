//! The start of every function: complete the environment, then start logging.

use super::{Fatal, telemetry};
use crate::protocol::secrets_manager;

/// Completes the environment (`SECRETS_ARN`, if it is set) and starts logging with it. Every `main` calls it before it
/// reads variables.
pub async fn start() -> Result<(), Fatal> {
    secrets_manager::supply_environment().await?;
    telemetry::init()?;
    Ok(())
}
