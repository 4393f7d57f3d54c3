//! The one interface behind which the providers stand.

use super::{Mail, MessageId, Provider, Resend, SendError, Ses};
use crate::base::env;

/// A way to hand over mails, chosen by `EMAIL_PROVIDER`.
#[derive(Clone, Debug)]
pub enum Sender {
    /// Amazon SES.
    Ses(Ses),
    /// Resend.
    Resend(Resend),
}

impl Sender {
    /// The sender of `EMAIL_PROVIDER`, with what that provider needs. Nothing is called yet.
    pub async fn from_env() -> Result<Self, env::Error> {
        Ok(match Provider::from_env()? {
            Provider::Ses => Self::Ses(Ses::from_env().await),
            Provider::Resend => Self::Resend(Resend::from_env()?),
        })
    }

    /// Which provider it is.
    #[must_use]
    pub fn provider(&self) -> Provider {
        match self {
            Self::Ses(_) => Provider::Ses,
            Self::Resend(_) => Provider::Resend,
        }
    }

    /// Hands one mail over, once. `key` is what the mail is: it comes back with the provider's events, and where the
    /// provider has idempotency keys it is one.
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
