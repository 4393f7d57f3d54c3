//! Mail budgets: mails per recipient and hour over all senders, and mails per tenant and day.
//!
//! The counters are those of @upstash/ratelimit 2.2 (a sliding window for recipients, a fixed one for tenants) under
//! the prefix `rl:email` (see [`rate_limit`](crate::service::rate_limit), which has the arithmetic). The identifier is
//! the address in lower case, so the web app's limiter and this one share their counts. Mails granted to a job stay
//! granted: a repeated delivery does not count twice.

use std::time::Duration;

use crate::base::clock::Clock;
use crate::base::env;
use crate::protocol::mail::EmailAddress;
use crate::protocol::upstash::{self, Invocation, Redis, Script, key_locked};
use crate::service::key::Family;
use crate::service::rate_limit::{EMAIL, Limit, Rate};

/// The mails of one tenant in one window.
pub const TENANT: Family = Family {
    pattern: "rl:email:tenant:{tenant}:{window}",
    kind: "string",
    life: "the window",
};

/// The recipients of a job whose mail was granted.
pub const GRANTS: Family = Family {
    pattern: "email_budget:{jobId}",
    kind: "set",
    life: "8 days after the last grant; one member for each recipient of the job",
};

/// The families of this service. That of recipients is the limiter's.
pub const KEYS: &[&Family] = &[&TENANT, &GRANTS];

/// How long grants are kept: longer than a job is retried, and deferred by a budget.
const GRANTS_LIFE: Duration = Duration::from_hours(8 * 24);

/// The default rate of a tenant.
const TENANT_RATE: Rate = Rate {
    count: 50_000,
    window: Duration::from_hours(24),
};

/// The shortest deferral: a message costs more than a short wait.
const MIN_WAIT: Duration = Duration::from_secs(1);

/// How often a call is repeated because the store's clock is in another window.
const MAX_TRIES: usize = 3;

/// The tenant of jobs without a budget.
const NO_TENANT: &str = "-";

// A repetition finds its grants.
static TAKE: Script = Script::repeatable(key_locked!(
    include_str!("../../rate_limit/lua/arithmetic.lua"),
    include_str!("take.lua")
));

/// The counters could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the mail budget is unavailable")]
pub struct Error(#[from] upstash::Error);

/// The decision on a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be sent now, and counts.
    Granted,
    /// A budget is used up. Wait this long: at least one second, at most one window.
    Wait(Duration),
}

/// The budgets of a deployment.
#[derive(Clone, Debug)]
pub struct EmailBudget {
    redis: Redis,
    clock: Clock,
    recipient: Rate,
    tenant: Rate,
}

impl EmailBudget {
    /// Returns the budgets of `RATE_LIMIT_EMAIL` (20/1h) for a recipient and `RATE_LIMIT_EMAIL_TENANT` (50000/1d) for a
    /// tenant.
    pub fn from_env(redis: &Redis) -> Result<Self, env::Error> {
        Ok(Self::new(
            redis.clone(),
            Limit::from_env(&EMAIL)?.rate(),
            env::parsed_or("RATE_LIMIT_EMAIL_TENANT", TENANT_RATE)?,
        ))
    }

    /// Returns budgets with these rates.
    #[must_use]
    pub fn new(redis: Redis, recipient: Rate, tenant: Rate) -> Self {
        Self {
            redis,
            clock: Clock::system(),
            recipient,
            tenant,
        }
    }

    /// Returns the same budgets with `clock` for the first choice of windows: the store's time decides.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Takes one mail for each recipient of a job, in order, as far as the budgets allow. One request, and a second one
    /// if this machine's clock and the store's are in different windows.
    pub async fn take(
        &self,
        job_id: &str,
        tenant: &str,
        recipients: &[&EmailAddress],
    ) -> Result<Vec<Verdict>, Error> {
        let mut now = self.clock.now().as_millisecond();
        for _ in 0..MAX_TRIES {
            let call = self.call(now, job_id, tenant, recipients);
            let waits: Vec<i64> = self.redis.eval(call).await?;
            match waits.as_slice() {
                &[-1, present] => now = present,
                waits => return Ok(waits.iter().copied().map(verdict).collect()),
            }
        }
        Err(Error(upstash::Error::Decode(
            "a window that never is the present one".to_owned(),
        )))
    }

    /// Returns the call for the windows of `now`, in milliseconds.
    fn call(
        &self,
        now: i64,
        job_id: &str,
        tenant: &str,
        recipients: &[&EmailAddress],
    ) -> Invocation {
        let tenant_count = if tenant == NO_TENANT {
            0
        } else {
            self.tenant.count
        };
        let (window, day) = (self.recipient.index(now), self.tenant.index(now));
        let mut call = TAKE
            .invoke()
            .key(GRANTS.key(job_id))
            .key(format!("{}:{day}", TENANT.key(tenant)))
            .arg(self.recipient.count)
            .arg(self.recipient.window.as_millis())
            .arg(tenant_count)
            .arg(self.tenant.window.as_millis())
            .arg(GRANTS_LIFE.as_millis())
            .arg(window)
            .arg(day);
        for (place, recipient) in recipients.iter().enumerate() {
            let counter = EMAIL.keys.key(&recipient.as_str().to_lowercase());
            call = call
                .key(format!("{counter}:{window}"))
                .key(format!("{counter}:{}", window - 1))
                .arg(place);
        }
        call
    }
}

fn verdict(wait: i64) -> Verdict {
    match wait {
        0 => Verdict::Granted,
        wait => {
            let wait = Duration::from_millis(wait.unsigned_abs());
            Verdict::Wait(wait.max(MIN_WAIT))
        }
    }
}
