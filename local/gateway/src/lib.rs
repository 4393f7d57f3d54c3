//! API Gateway and Lambda on one machine: the deployed function binaries behind the deployed limits. `template.yaml`
//! defines the functions, their routes and their variables; nothing is configured twice.

mod body;
mod clock;
mod error;
mod front;
mod gateway;
mod kill_switch;
mod lambda;
mod limit;
mod listening;
mod process_guard;
mod router;
mod settings;
mod template;

pub use error::{Error, InvokeError};
pub use gateway::Gateway;
pub use kill_switch::KillSwitch;
pub use settings::Settings;
pub use template::Error as TemplateError;

/// Starts the gateway. The functions start with their first call, as on Lambda.
pub async fn start(settings: Settings) -> Result<Gateway, Error> {
    Gateway::start(settings).await
}
