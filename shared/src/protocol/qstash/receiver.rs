//! The receiver: verifies the issuer, URL, time and body of a delivery with the token in `Upstash-Signature`.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _};
use sha2::Sha256;
use url::Url;

use super::claims::Claims;
use super::token::{SignatureError, Token};
use super::verified::Verified;
use crate::base::clock::Clock;
use crate::base::env;
use crate::base::secret::Secret;

/// The accepted difference between QStash's clock and ours.
///
/// A token is valid for 300 seconds. Clocks with NTP differ by milliseconds, and a laptop's clock after waking by
/// seconds. A rejected delivery costs a retry; half a minute covers both cases. It extends the replay time of a stolen
/// delivery by a tenth. That is harmless: a delivery may arrive twice anyway, and the claim on the job ignores the
/// second one.
pub const LEEWAY: Duration = Duration::from_secs(30);

/// Verifies deliveries. Built once at init; the keys are kept as prepared HMAC states.
#[derive(Clone)]
pub struct Receiver {
    /// The current key, then the next one: QStash rotates the keys without a gap.
    keys: [Hmac<Sha256>; 2],
    /// The address of [`Self::new`] without a trailing slash.
    base: String,
    clock: Clock,
}

/// Why a receiver could not be built.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReceiverError {
    /// The current key is empty or contains spaces: anyone could sign with an empty key.
    #[error("the current signing key is empty or has spaces")]
    CurrentKey,
    /// The next key is empty or contains spaces.
    #[error("the next signing key is empty or has spaces")]
    NextKey,
    /// The address is not an http(s) URL without query, fragment and user.
    #[error("must be an http(s) URL without query, fragment and user")]
    FunctionsUrl,
}

impl Receiver {
    /// Returns a receiver from `QSTASH_CURRENT_SIGNING_KEY`, `QSTASH_NEXT_SIGNING_KEY` and `FUNCTIONS_URL`, with the
    /// machine's clock.
    pub fn from_env() -> Result<Self, env::Error> {
        const CURRENT: &str = "QSTASH_CURRENT_SIGNING_KEY";
        const NEXT: &str = "QSTASH_NEXT_SIGNING_KEY";
        const BASE: &str = "FUNCTIONS_URL";
        let (current, next) = (env::secret(CURRENT)?, env::secret(NEXT)?);
        Self::new(&current, &next, &env::required(BASE)?, Clock::system()).map_err(|error| {
            let name = match error {
                ReceiverError::CurrentKey => CURRENT,
                ReceiverError::NextKey => NEXT,
                ReceiverError::FunctionsUrl => BASE,
            };
            let reason = error.to_string();
            env::Error::Malformed { name, reason }
        })
    }

    /// Returns a receiver of deliveries that are signed with `current` or `next` for addresses under `functions_url`.
    pub fn new(
        current: &Secret,
        next: &Secret,
        functions_url: &str,
        clock: Clock,
    ) -> Result<Self, ReceiverError> {
        Ok(Self {
            keys: [
                key(current).ok_or(ReceiverError::CurrentKey)?,
                key(next).ok_or(ReceiverError::NextKey)?,
            ],
            base: base(functions_url).ok_or(ReceiverError::FunctionsUrl)?,
            clock,
        })
    }

    /// Verifies a delivery, or returns why it is rejected.
    ///
    /// `path` is its path with its query, if there is one; `signature` is the value of `Upstash-Signature`; `body` is
    /// the raw body. The claims are read only after one of the keys matched, and the body is hashed last, so that an
    /// unsigned body costs nothing.
    pub fn verify(
        &self,
        path: &str,
        signature: Option<&[u8]>,
        body: Bytes,
    ) -> Result<Verified, SignatureError> {
        let token = Token::parse(signature.ok_or(SignatureError::Missing)?)?;
        if !self.keys.iter().any(|key| token.is_signed_by(key)) {
            return Err(SignatureError::Key);
        }
        let json = token.claims()?;
        let claims = Claims::parse(&json)?;
        claims.check_parties(&self.base, path)?;
        claims.check_time(self.clock.now())?;
        claims.check_body(&body)?;
        Ok(Verified::new(body))
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

fn key(secret: &Secret) -> Option<Hmac<Sha256>> {
    let bytes = secret.expose().as_bytes();
    let sound = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic);
    sound.then(|| Hmac::new_from_slice(bytes).ok()).flatten()
}

/// Returns the address as QStash spells it: messages are published to parsed URLs, so host and port are normalized
/// there too.
fn base(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    plain.then(|| url.as_str().trim_end_matches('/').to_owned())
}
