//! Who is believed: the topic of SES's events, Resend's webhooks, or both.

use shared::base::env;
use shared::protocol::{sns, svix};

/// The providers that may report.
#[derive(Debug)]
pub struct Sources {
    /// SES's events, through their topic.
    pub(crate) ses: Option<sns::Receiver>,
    /// Resend's webhooks.
    pub(crate) resend: Option<svix::Receiver>,
}

/// Why the function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A variable is not what it should be.
    #[error(transparent)]
    Variable(#[from] env::Error),
    /// There is nobody to believe.
    #[error(
        "neither MAIL_EVENTS_TOPIC_ARN nor RESEND_WEBHOOK_SECRET is set; add at least one to the function's \
         environment"
    )]
    NoProviders,
}

impl Sources {
    /// The sources of `MAIL_EVENTS_TOPIC_ARN` and `RESEND_WEBHOOK_SECRET`, of which one at least must be set.
    pub fn from_env() -> Result<Self, SetupError> {
        let ses = sns::Receiver::from_env()?;
        let resend = svix::Receiver::of_resend()?;
        if ses.is_none() && resend.is_none() {
            return Err(SetupError::NoProviders);
        }
        Ok(Self { ses, resend })
    }
}
