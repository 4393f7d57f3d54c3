//! What the work of one attempt may know and say.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::service::job::{Claim, Jobs, Progress, Stop};

/// Progress is written this often at the most: each time is a request.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// A running attempt.
#[derive(Debug)]
pub struct Attempt<'a> {
    jobs: &'a Jobs,
    claim: &'a Claim,
    deadline: Instant,
    told: Mutex<Instant>,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(jobs: &'a Jobs, claim: &'a Claim, deadline: Instant) -> Self {
        Self {
            jobs,
            claim,
            deadline,
            told: Mutex::new(Instant::now()),
        }
    }

    /// The job's id: the same in every attempt, which makes it part of idempotency keys.
    #[must_use]
    pub fn job_id(&self) -> &str {
        &self.claim.job_id
    }

    /// Whose job it is: a domain, a user, or `-`.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.claim.tenant
    }

    /// Who the job was made for; empty for the service itself.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.claim.user
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.claim.attempt
    }

    /// When the work must stop; what does not fit is deferred.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Tells how far the work is; at most once a second it is written. Stops the work if another delivery has taken
    /// the job over. A store that does not answer is no reason to stop: the commit decides.
    pub async fn progress(&self, done: u64, total: u64) -> Result<(), Stop> {
        if !self.is_time() {
            return Ok(());
        }
        match self
            .jobs
            .progress(self.claim, Progress { done, total })
            .await
        {
            Ok(false) => Err(Stop::Retry {
                error: "another delivery took this job over".into(),
                after: None,
            }),
            Ok(true) | Err(_) => Ok(()),
        }
    }

    /// Whether progress was last told long enough ago; if so, the next interval begins.
    fn is_time(&self) -> bool {
        let Ok(mut told) = self.told.lock() else {
            return false;
        };
        let due = told.elapsed() >= PROGRESS_INTERVAL;
        if due {
            *told = Instant::now();
        }
        due
    }
}
