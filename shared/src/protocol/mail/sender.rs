//! The common interface of the providers.

use super::{Mail, MessageId, Provider, Resend, SendError, Ses};
use crate::base::env;

/// A mail sender, chosen by `EMAIL_PROVIDER`.
#[derive(Clone, Debug)]
pub enum Sender {
    /// Amazon SES.
    Ses(Ses),
    /// Resend.
    Resend(Resend),
}

impl Sender {
    /// Returns the sender of `EMAIL_PROVIDER`, configured by the provider's own variables. It makes no call yet.
    pub async fn from_env() -> Result<Self, env::Error> {
        Ok(match Provider::from_env()? {
            Provider::Ses => Self::Ses(Ses::from_env().await),
            Provider::Resend => Self::Resend(Resend::from_env()?),
        })
    }

    /// Returns the provider.
    #[must_use]
    pub fn provider(&self) -> Provider {
        match self {
            Self::Ses(_) => Provider::Ses,
            Self::Resend(_) => Provider::Resend,
        }
    }

    /// Sends one mail, once. `key` identifies the mail: the provider's events return it, and it is the idempotency key
    /// if the provider supports one.
    pub async fn send(&self, mail: &Mail, key: &str) -> Result<MessageId, SendError> {
        if !mail.is_one_line_per_header() {
            return Err(SendError::Rejected {
                reason: "a header holds a control character".to_owned(),
            });
        }
        match self {
            Self::Ses(ses) => ses.send(mail, key).await,
            Self::Resend(resend) => resend.send(mail, key).await,
        }
    }
}
