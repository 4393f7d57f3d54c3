//! One-time tokens, and TOTP codes that must not be reused.
//!
//! A token proves that its holder reads the mails of an address: to verify it, or to set a new password. It has 256
//! random bits, of which only the SHA-256 is stored, for a day; one script redeems it. An address has one token for
//! each purpose: issuing another cancels it.

mod claim;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

pub use claim::{Code, InvalidCode, TOTP_USED};

use crate::base::hex::hex;
use crate::base::id;
use crate::base::secret::Secret;
use crate::protocol::mail::EmailAddress;
use crate::protocol::upstash::{self, Redis, Script};
use crate::service::key::Family;

static ISSUE: Script = Script::repeatable(include_str!("lua/issue.lua"));
static REDEEM: Script = Script::repeatable(include_str!("lua/redeem.lua"));

/// How long a token is valid.
const LIFE: Duration = Duration::from_hours(24);

/// How long a redeemed or cancelled token is remembered, so that a repeated attempt gets the first answer.
const TAKEN_LIFE: Duration = Duration::from_mins(1);

/// A token that verifies an address.
pub const EMAIL_VERIFICATION: Family = Family {
    pattern: "email_verify:{sha256}",
    kind: "hash",
    life: "24 hours; used or cancelled: 1 minute",
};

/// A token to set a new password.
pub const PASSWORD_RESET: Family = Family {
    pattern: "password_reset:{sha256}",
    kind: "hash",
    life: "24 hours; used or cancelled: 1 minute",
};

/// The current token of an address for a purpose.
pub const OF_ADDRESS: Family = Family {
    pattern: "one_time_token:{purpose}:{sha256}",
    kind: "string",
    life: "24 hours",
};

/// All families of this service.
pub const KEYS: &[&Family] = &[
    &EMAIL_VERIFICATION,
    &PASSWORD_RESET,
    &OF_ADDRESS,
    &TOTP_USED,
];

/// Why a token could not be issued or redeemed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The token store failed.
    #[error("the tokens are unavailable")]
    Store(#[from] upstash::Error),
    /// The system has no random bytes.
    #[error("the system gave no random bytes")]
    Random,
    /// The store returned an unexpected answer.
    #[error("a token's record is unreadable")]
    Unreadable,
}

/// The purpose of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Verifying an e-mail address.
    EmailVerification,
    /// Resetting a password.
    PasswordReset,
}

/// An issued token.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The token. It is not stored, and cannot be shown again.
    pub token: Secret,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// Tokens and claims in Redis.
#[derive(Clone, Debug)]
pub struct Tokens {
    redis: Redis,
}

impl Purpose {
    fn family(self) -> &'static Family {
        match self {
            Self::EmailVerification => &EMAIL_VERIFICATION,
            Self::PasswordReset => &PASSWORD_RESET,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::EmailVerification => "email-verification",
            Self::PasswordReset => "password-reset",
        }
    }
}

impl Tokens {
    /// Returns the tokens in `redis`.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    /// Issues a token for an address. The previous one for the same purpose becomes invalid.
    pub async fn issue(&self, purpose: Purpose, email: &EmailAddress) -> Result<Issued, Error> {
        let token = fresh()?;
        let hash = hashed(&token);
        let address = hashed(&email.as_str().to_lowercase());
        let call = ISSUE
            .invoke()
            .key(purpose.family().key(&hash))
            .key(OF_ADDRESS.key(&format!("{}:{address}", purpose.name())))
            .arg(email.as_str())
            .arg(LIFE.as_millis())
            .arg(purpose.family().key(""))
            .arg(hash)
            .arg(TAKEN_LIFE.as_millis());
        let ends = self.redis.eval::<i64>(call).await?;
        Ok(Issued {
            token: Secret::new(token),
            expires_at: Timestamp::from_millisecond(ends).map_err(|_| Error::Unreadable)?,
        })
    }

    /// Redeems a token: returns the address that it was issued for, once; none afterwards.
    pub async fn redeem(&self, purpose: Purpose, token: &str) -> Result<Option<String>, Error> {
        let hash = hashed(token);
        let call = REDEEM
            .invoke()
            .key(purpose.family().key(&hash))
            .arg(id::nonce())
            .arg(TAKEN_LIFE.as_millis())
            .arg(hash);
        Ok(self.redis.eval(call).await?)
    }
}

/// Returns 256 random bits, as 43 URL-safe characters.
fn fresh() -> Result<String, Error> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::Random)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn hashed(text: &str) -> String {
    hex(&Sha256::digest(text))
}
