//! The mail providers, and the differences that matter to the ledger.

use std::str::FromStr;
use std::time::Duration;

use crate::base::env;

/// The mail providers that a deployment can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Amazon SES, API version 2.
    Ses,
    /// Resend.
    Resend,
}

impl Provider {
    /// Returns the provider of `EMAIL_PROVIDER`; SES if it is absent.
    pub fn from_env() -> Result<Self, env::Error> {
        env::parsed_or("EMAIL_PROVIDER", Self::Ses)
    }

    /// Returns the provider's name in configuration and ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ses => "ses",
            Self::Resend => "resend",
        }
    }

    /// Returns how long the provider recognizes a repeated key and sends the mail only once. SES has no idempotency
    /// keys.
    #[must_use]
    pub fn idempotency(self) -> Option<Duration> {
        match self {
            Self::Ses => None,
            Self::Resend => Some(Duration::from_hours(24)),
        }
    }
}

/// The name is not that of a supported provider.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be ses or resend")]
pub struct UnknownProvider;

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "ses" => Ok(Self::Ses),
            "resend" => Ok(Self::Resend),
            _ => Err(UnknownProvider),
        }
    }
}
