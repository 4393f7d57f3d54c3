//! API Gateway and Lambda on one machine: the function binaries that are deployed, behind the limits that they are
//! deployed behind. `template.yaml` says which functions there are, on which routes and with which variables; nothing
//! is configured a second time here.

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

/// Starts the gateway. The functions themselves start with their first call, as Lambda's do.
pub async fn start(settings: Settings) -> Result<Gateway, Error> {
    Gateway::start(settings).await
}
