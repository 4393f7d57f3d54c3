//! Which providers there are, and what sets them apart for those who keep the books.

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
    /// The provider of `EMAIL_PROVIDER`; SES where it is absent.
    pub fn from_env() -> Result<Self, env::Error> {
        env::parsed_or("EMAIL_PROVIDER", Self::Ses)
    }

    /// The name under which the provider stands in configuration and ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ses => "ses",
            Self::Resend => "resend",
        }
    }

    /// For how long the provider knows a mail again by its key, so that handing it over twice sends it once. SES does
    /// not at all.
    #[must_use]
    pub fn idempotency(self) -> Option<Duration> {
        match self {
            Self::Ses => None,
            Self::Resend => Some(Duration::from_hours(24)),
        }
    }
}

/// The name is not that of a provider that this build can use.
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
