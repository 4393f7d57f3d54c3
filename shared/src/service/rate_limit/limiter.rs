//! The named limiters: those of the web app with their own prefixes, and two of these functions.

use std::time::Duration;

use jiff::Timestamp;

use super::rate::Rate;
use crate::base::env;
use crate::service::key::Family;

const MINUTE: Duration = Duration::from_mins(1);
const FIVE_MINUTES: Duration = Duration::from_mins(5);
const QUARTER: Duration = Duration::from_mins(15);
const HOUR: Duration = Duration::from_hours(1);

/// An algorithm, equal to the one of the same name in @upstash/ratelimit 2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// A limit for each window; twice the limit may pass around the border of two windows.
    FixedWindow,
    /// Counts a decreasing share of the previous window too.
    SlidingWindow,
    /// A bucket of tokens with a refill after each interval.
    TokenBucket {
        /// The tokens that an interval adds.
        refill: u64,
    },
}

/// The decision when a limiter cannot count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOutage {
    /// Admit: reads.
    Open,
    /// Reject: signing, TOTP, passwords, logins.
    Closed,
}

/// A named limiter.
#[derive(Debug)]
pub struct Limiter {
    /// Its name in routes and in the API.
    pub name: &'static str,
    /// Its keys. The part before the identifier is the prefix of the web app's limiter.
    pub keys: &'static Family,
    /// The variable that overrides the rate.
    pub variable: &'static str,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// The default rate.
    pub rate: Rate,
    /// The decision when it cannot count.
    pub on_outage: OnOutage,
}

/// A limiter with the rate of this deployment.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    pub(super) limiter: &'static Limiter,
    pub(super) rate: Rate,
}

impl Limit {
    /// Returns the limiter with the rate of its variable, else its default.
    pub fn from_env(limiter: &'static Limiter) -> Result<Self, env::Error> {
        let rate = env::parsed_or(limiter.variable, limiter.rate)?;
        Ok(Self::new(limiter, rate))
    }

    /// Returns the limiter with this rate.
    #[must_use]
    pub fn new(limiter: &'static Limiter, rate: Rate) -> Self {
        Self { limiter, rate }
    }

    /// Returns the limiter.
    #[must_use]
    pub fn limiter(&self) -> &'static Limiter {
        self.limiter
    }

    /// Returns the rate.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Returns the keys of an identifier at an instant, with the names of @upstash/ratelimit: a window's counter and,
    /// for a sliding one, that of the previous window; or a bucket's hash.
    pub(super) fn keys(&self, identifier: &str, now: Timestamp) -> Vec<String> {
        let key = self.limiter.keys.key(identifier);
        let index = self.rate.index(now.as_millisecond());
        match self.limiter.algorithm {
            Algorithm::TokenBucket { .. } => vec![key],
            Algorithm::FixedWindow => vec![format!("{key}:{index}")],
            Algorithm::SlidingWindow => {
                vec![format!("{key}:{index}"), format!("{key}:{}", index - 1)]
            }
        }
    }
}

const fn sliding(pattern: &'static str) -> Family {
    Family {
        pattern,
        kind: "string",
        life: "twice the window and a second",
    }
}

const fn limiter(
    name: &'static str,
    keys: &'static Family,
    variable: &'static str,
    rate: Rate,
    on_outage: OnOutage,
) -> Limiter {
    Limiter {
        name,
        keys,
        variable,
        algorithm: Algorithm::SlidingWindow,
        rate,
        on_outage,
    }
}

const fn rate(count: u64, window: Duration) -> Rate {
    Rate { count, window }
}

static API_KEYS: Family = sliding("rl:api:{identifier}:{window}");

/// API calls by an acting user.
pub static API: Limiter = limiter(
    "api",
    &API_KEYS,
    "RATE_LIMIT_API",
    rate(100, MINUTE),
    OnOutage::Open,
);

static PUBLIC_KEYS: Family = sliding("rl:public:{identifier}:{window}");

/// Calls of public routes, by source address.
pub static PUBLIC: Limiter = limiter(
    "public",
    &PUBLIC_KEYS,
    "RATE_LIMIT_PUBLIC",
    rate(300, MINUTE),
    OnOutage::Open,
);

static SERVICE_KEYS: Family = sliding("rl:service:{identifier}:{window}");

/// All calls of one service token without an acting user: a protection against loops, not a quota.
pub static SERVICE: Limiter = limiter(
    "service",
    &SERVICE_KEYS,
    "RATE_LIMIT_SERVICE",
    rate(60_000, MINUTE),
    OnOutage::Open,
);

static AUTH_KEYS: Family = sliding("rl:auth:{identifier}:{window}");

/// Logins.
pub static AUTH: Limiter = limiter(
    "auth",
    &AUTH_KEYS,
    "RATE_LIMIT_AUTH",
    rate(10, MINUTE),
    OnOutage::Closed,
);

static CORPORATE_ADMIN_KEYS: Family = sliding("rl:corp:{identifier}:{window}");

/// Actions of an organisation's administrators.
pub static CORPORATE_ADMIN: Limiter = limiter(
    "corporateAdmin",
    &CORPORATE_ADMIN_KEYS,
    "RATE_LIMIT_CORPORATE_ADMIN",
    rate(50, MINUTE),
    OnOutage::Open,
);

static EMAIL_KEYS: Family = sliding("rl:email:{recipient}:{window}");

/// Mails to one recipient. The budgets of mails take from it.
pub static EMAIL: Limiter = limiter(
    "email",
    &EMAIL_KEYS,
    "RATE_LIMIT_EMAIL",
    rate(20, HOUR),
    OnOutage::Closed,
);

static PDF_GENERATION_KEYS: Family = sliding("rl:pdf:{identifier}:{window}");

/// Generated PDF documents.
pub static PDF_GENERATION: Limiter = limiter(
    "pdfGeneration",
    &PDF_GENERATION_KEYS,
    "RATE_LIMIT_PDF_GENERATION",
    rate(5, MINUTE),
    OnOutage::Open,
);

static TOTP_KEYS: Family = sliding("rl:totp:{identifier}:{window}");

/// One-time codes.
pub static TOTP: Limiter = limiter(
    "totp",
    &TOTP_KEYS,
    "RATE_LIMIT_TOTP",
    rate(5, FIVE_MINUTES),
    OnOutage::Closed,
);

static VERIFY_KEYS: Family = sliding("rl:verify:{identifier}:{window}");

/// Verifications of documents.
pub static VERIFY: Limiter = limiter(
    "verify",
    &VERIFY_KEYS,
    "RATE_LIMIT_VERIFY",
    rate(30, MINUTE),
    OnOutage::Open,
);

static SIGNATURE_KEYS: Family = sliding("rl:signature:{identifier}:{window}");

/// Signature requests.
pub static SIGNATURE: Limiter = limiter(
    "signature",
    &SIGNATURE_KEYS,
    "RATE_LIMIT_SIGNATURE",
    rate(100, HOUR),
    OnOutage::Closed,
);

static SIGNATURE_BULK_KEYS: Family = sliding("rl:signature:bulk:{identifier}:{window}");

/// Bulk signature requests.
pub static SIGNATURE_BULK: Limiter = limiter(
    "signatureBulk",
    &SIGNATURE_BULK_KEYS,
    "RATE_LIMIT_SIGNATURE_BULK",
    rate(5, HOUR),
    OnOutage::Closed,
);

static SIGNATURE_REMINDER_KEYS: Family = sliding("rl:signature:reminder:{identifier}:{window}");

/// Reminders to signers.
pub static SIGNATURE_REMINDER: Limiter = limiter(
    "signatureReminder",
    &SIGNATURE_REMINDER_KEYS,
    "RATE_LIMIT_SIGNATURE_REMINDER",
    rate(20, HOUR),
    OnOutage::Closed,
);

static LINK_PASSWORD_KEYS: Family = sliding("rl:password:{identifier}:{window}");

/// Password attempts for links.
pub static LINK_PASSWORD: Limiter = limiter(
    "linkPassword",
    &LINK_PASSWORD_KEYS,
    "RATE_LIMIT_LINK_PASSWORD",
    rate(5, QUARTER),
    OnOutage::Closed,
);

static DATAROOM_PASSWORD_KEYS: Family = sliding("rl:dataroom:password:{identifier}:{window}");

/// Password attempts for data rooms.
pub static DATAROOM_PASSWORD: Limiter = limiter(
    "dataroomPassword",
    &DATAROOM_PASSWORD_KEYS,
    "RATE_LIMIT_DATAROOM_PASSWORD",
    rate(5, QUARTER),
    OnOutage::Closed,
);

/// All limiters, as accepted by the check route.
pub static ALL: &[&Limiter] = &[
    &API,
    &PUBLIC,
    &SERVICE,
    &AUTH,
    &CORPORATE_ADMIN,
    &EMAIL,
    &PDF_GENERATION,
    &TOTP,
    &VERIFY,
    &SIGNATURE,
    &SIGNATURE_BULK,
    &SIGNATURE_REMINDER,
    &LINK_PASSWORD,
    &DATAROOM_PASSWORD,
];

/// The families of their keys.
pub(super) const KEYS: &[&Family] = &[
    &API_KEYS,
    &PUBLIC_KEYS,
    &SERVICE_KEYS,
    &AUTH_KEYS,
    &CORPORATE_ADMIN_KEYS,
    &EMAIL_KEYS,
    &PDF_GENERATION_KEYS,
    &TOTP_KEYS,
    &VERIFY_KEYS,
    &SIGNATURE_KEYS,
    &SIGNATURE_BULK_KEYS,
    &SIGNATURE_REMINDER_KEYS,
    &LINK_PASSWORD_KEYS,
    &DATAROOM_PASSWORD_KEYS,
];
