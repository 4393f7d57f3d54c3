//! How every function begins: what the environment lacks is filled in, then logging starts.

use super::{Fatal, telemetry};
use crate::protocol::secrets_manager;

/// Makes the environment whole (`SECRETS_ARN`, if it is set) and starts logging by it. The first call of every `main`
/// that reads variables.
pub async fn start() -> Result<(), Fatal> {
    secrets_manager::supply_environment().await?;
    telemetry::init()?;
    Ok(())
}
