//! The trusted event sources: the topic of SES events, Resend webhooks, or both.

use shared::base::env;
use shared::protocol::{sns, svix};

/// The providers whose events are accepted.
#[derive(Debug)]
pub struct Sources {
    /// SES events, through their topic.
    pub(crate) ses: Option<sns::Receiver>,
    /// Resend webhooks.
    pub(crate) resend: Option<svix::Receiver>,
}

/// Why the function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A variable is invalid.
    #[error(transparent)]
    Variable(#[from] env::Error),
    /// No source is configured.
    #[error(
        "neither MAIL_EVENTS_TOPIC_ARN nor RESEND_WEBHOOK_SECRET is set; add at least one to the function's \
         environment"
    )]
    NoProviders,
}

impl Sources {
    /// Reads the sources from `MAIL_EVENTS_TOPIC_ARN` and `RESEND_WEBHOOK_SECRET`. At least one must be set.
    pub fn from_env() -> Result<Self, SetupError> {
        let ses = sns::Receiver::from_env()?;
        let resend = svix::Receiver::of_resend()?;
        if ses.is_none() && resend.is_none() {
            return Err(SetupError::NoProviders);
        }
        Ok(Self { ses, resend })
    }
}
