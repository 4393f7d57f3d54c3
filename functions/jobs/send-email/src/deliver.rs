//! The job's work: one mail after the other, so that at most one is in progress.
//!
//! A bulk can be interrupted by a limit, by the deadline or by a kill. The next delivery of the same job resumes it:
//! sent mails are skipped, the others are sent. A failed recipient is set aside and does not block the others.

use std::time::Duration;

use shared::base::env;
use shared::edge::job::Attempt;
use shared::protocol::postgres::Postgres;
use shared::protocol::upstash::Redis;
use shared::service::mail::branding::{Brand, Brandings};
use shared::service::mail::budget::{EmailBudget, Verdict};
use shared::service::mail::ledger::{Entry, Identity};
use shared::service::mail::payload::{Email, EmailAddress, Envelope, Reference};
use shared::service::mail::unsubscribe::Tokens;
use tokio::time::Instant;

use crate::dispatcher::{Dispatcher, SendOutcome, TIME_FOR_ONE};
use crate::failures::FailureTracker;
use crate::outcome::{Delivered, Error};
use crate::run::{Checkpoint, Run};
use crate::template::{Terms, Writer};

/// Composes and sends the mails of a deployment.
pub(crate) struct SendEmailHandler {
    writer: Writer,
    brandings: Brandings,
    unsubscribe: Tokens,
    budget: EmailBudget,
    dispatcher: Dispatcher,
}

/// One mail to one recipient, with its ledger key.
struct Item<'a> {
    email: &'a Email,
    envelope: &'a Envelope,
    /// The type of the request, which differs from the mail's own type for a mail of a bulk.
    kind: &'static str,
    optional: bool,
}

impl SendEmailHandler {
    /// Reads the sender, the provider and the ledger from the environment. No connection is opened yet.
    pub(crate) async fn from_env(redis: &Redis) -> Result<Self, env::Error> {
        let postgres = Postgres::from_env()?;
        Ok(Self {
            writer: Writer::from_env()?,
            brandings: Brandings::new(postgres.clone()),
            unsubscribe: Tokens::from_env()?,
            budget: EmailBudget::from_env(redis)?,
            dispatcher: Dispatcher::from_env(postgres).await?,
        })
    }

    /// Settles every unsettled mail of a job. Errors with the reason if it stops earlier.
    pub(crate) async fn deliver(
        &self,
        attempt: &Attempt<'_>,
        email: &Email,
    ) -> Result<Delivered, Error> {
        let brand = self.brand(attempt, email).await?;
        let Some(envelope) = email.envelope() else {
            return self.bulk(attempt, email, &brand).await;
        };
        let item = Item {
            email,
            envelope,
            kind: email.kind(),
            optional: email.is_optional(),
        };
        let mut delivered = Delivered::default();
        if let Verdict::Wait(after) = self.granted(attempt, &[&envelope.to]).await?.at(0) {
            return Err(Error::over_budget(1, after));
        }
        match self.send_one(attempt, &item, &brand).await? {
            SendOutcome::Rejected { reason } => return Err(Error::Refused(reason)),
            outcome => delivered.count(0, outcome),
        }
        attempt.progress(1, 1).await?;
        Ok(delivered)
    }

    async fn bulk(
        &self,
        attempt: &Attempt<'_>,
        email: &Email,
        brand: &Brand,
    ) -> Result<Delivered, Error> {
        let Email::Bulk(bulk) = email else {
            return Ok(Delivered::default());
        };
        let total = bulk.emails.len();
        let recipients: Vec<&EmailAddress> = bulk.emails.iter().map(|it| &it.email).collect();
        let verdicts = self.granted(attempt, &recipients).await?;
        let mut run = Run::new(attempt.checkpoint::<Checkpoint>(), total);
        let mut failures = FailureTracker::default();
        for place in run.places(attempt.number()) {
            let Some(recipient) = bulk.emails.get(place) else {
                continue;
            };
            if attempt.deadline().duration_since(Instant::now()) < TIME_FOR_ONE {
                return Err(run.out_of_time());
            }
            if verdicts.at(place) != Verdict::Granted {
                continue;
            }
            let invitation = bulk.invitation(recipient, self.writer.app());
            let envelope = invitation.envelope.clone();
            let item = Item {
                email: &Email::SignatureRequest(invitation),
                envelope: &envelope,
                kind: email.kind(),
                optional: email.is_optional(),
            };
            match self.send_one(attempt, &item, brand).await {
                Ok(outcome) => run.count(place, outcome),
                Err(Error::Refused(reason)) => run.count(place, SendOutcome::Rejected { reason }),
                Err(Error::OutOfTime(_)) => return Err(run.out_of_time()),
                Err(error) => {
                    failures.note(error).map_err(|error| run.stopped(error))?;
                    continue;
                }
            }
            failures.settled();
            attempt.progress(run.settled(), total as u64).await?;
        }
        if let Some((held, after)) = verdicts.held() {
            return Err(run.stopped(Error::over_budget(held, after)));
        }
        failures.end()?;
        Ok(run.finish())
    }

    async fn granted(
        &self,
        attempt: &Attempt<'_>,
        recipients: &[&EmailAddress],
    ) -> Result<Verdicts, Error> {
        let budget = &self.budget;
        let verdicts = budget.take(attempt.job_id(), attempt.tenant(), recipients);
        Ok(Verdicts(verdicts.await?))
    }

    async fn send_one(
        &self,
        attempt: &Attempt<'_>,
        item: &Item<'_>,
        brand: &Brand,
    ) -> Result<SendOutcome, Error> {
        let entry = Entry {
            kind: item.kind,
            recipient: &item.envelope.to,
            job_id: attempt.job_id(),
            identity: Identity::from(item.envelope),
            optional: item.optional,
            supersedes: item.envelope.supersedes.as_ref().map(Reference::as_str),
            acting_user: attempt.user(),
        };
        let link = item
            .optional
            .then(|| self.unsubscribe.link(&entry.key(), entry.recipient));
        let terms = Terms {
            brand,
            unsubscribe: link.as_ref().and_then(Option::as_deref),
        };
        match self.writer.write(item.email, terms)? {
            Some(mail) => {
                self.dispatcher
                    .send(&mail, &entry, attempt.deadline())
                    .await
            }
            None => Err(Error::Refused("the payload has no recipient".to_owned())),
        }
    }

    /// Returns the branding of the mails: of the payload's domain, else of the job's domain.
    async fn brand(&self, attempt: &Attempt<'_>, email: &Email) -> Result<Brand, Error> {
        let tenant = Some(attempt.tenant()).filter(|tenant| tenant.contains('.'));
        match email.domain().or(tenant) {
            Some(domain) => Ok(self.brandings.of(domain).await?),
            None => Ok(Brand::default()),
        }
    }
}

/// The recipients of a job that may get their mail now.
struct Verdicts(Vec<Verdict>);

impl Verdicts {
    /// Returns the verdict for a recipient's index.
    fn at(&self, place: usize) -> Verdict {
        self.0.get(place).copied().unwrap_or(Verdict::Granted)
    }

    /// Returns how many recipients must wait, and the shortest wait.
    fn held(&self) -> Option<(usize, Duration)> {
        let waits = self.0.iter().filter_map(|verdict| match verdict {
            Verdict::Granted => None,
            Verdict::Wait(wait) => Some(*wait),
        });
        waits.clone().min().map(|first| (waits.count(), first))
    }
}
