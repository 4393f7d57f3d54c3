//! The job's work: one mail after the other, so that at most one is ever under way.
//!
//! A bulk that is interrupted - by a limit, by the clock, by a kill - is taken up again by the next delivery of the
//! same job: what has gone is skipped, what is left is sent.

use std::time::Duration;

use shared::base::env;
use shared::edge::job::Attempt;
use shared::service::email::{Bulk, Email};
use shared::service::mail_ledger::Identity;
use tokio::time::Instant;

use crate::letter::Writer;
use crate::outcome::{Delivered, Error, Refused};
use crate::post::{Fate, Parcel, Post};

/// What must be left of the time before another mail is begun.
const TIME_FOR_ONE: Duration = Duration::from_secs(3);

/// Writes and sends the mails of a deployment.
pub(crate) struct Postman {
    writer: Writer,
    post: Post,
}

impl Postman {
    /// The sender, the provider and the ledger that the environment names. Nothing is opened yet.
    pub(crate) async fn from_env() -> Result<Self, env::Error> {
        Ok(Self {
            writer: Writer::from_env()?,
            post: Post::from_env().await?,
        })
    }

    /// Settles every mail of a job that is not settled yet, or says what stops it.
    pub(crate) async fn deliver(
        &self,
        attempt: &Attempt<'_>,
        email: &Email,
    ) -> Result<Delivered, Error> {
        let (mail, identity) = match email {
            Email::Bulk(bulk) => return self.bulk(attempt, bulk, email.kind()).await,
            Email::SignatureRequest(invitation) => (
                self.writer.signature_request(invitation)?,
                Identity::from(invitation),
            ),
            Email::Reminder(reminder) => (
                self.writer.reminder(reminder)?,
                Identity::from(&reminder.invitation),
            ),
        };
        let parcel = Parcel {
            mail: &mail,
            kind: email.kind(),
            job_id: attempt.job_id(),
            identity,
        };
        let mut delivered = Delivered::default();
        match self.post.send(&parcel, attempt.deadline()).await? {
            Fate::Rejected { reason } => return Err(Error::Refused(reason)),
            fate => delivered.count(0, fate),
        }
        attempt.progress(1, 1).await?;
        Ok(delivered)
    }

    async fn bulk(
        &self,
        attempt: &Attempt<'_>,
        bulk: &Bulk,
        kind: &'static str,
    ) -> Result<Delivered, Error> {
        let mut delivered = Delivered::default();
        let total = bulk.emails.len();
        for (place, recipient) in bulk.emails.iter().enumerate() {
            if attempt.deadline().duration_since(Instant::now()) < TIME_FOR_ONE {
                return Err(Error::OutOfTime(total - place));
            }
            let invitation = bulk.invitation(recipient, self.writer.app());
            let parcel = Parcel {
                mail: &self.writer.signature_request(&invitation)?,
                kind,
                job_id: attempt.job_id(),
                identity: Identity::default(),
            };
            let fate = self.post.send(&parcel, attempt.deadline()).await?;
            delivered.count(place, fate);
            attempt.progress(place as u64 + 1, total as u64).await?;
        }
        delivered.message_id = None;
        Ok(delivered)
    }
}

impl Delivered {
    fn count(&mut self, recipient: usize, fate: Fate) {
        match fate {
            Fate::Sent {
                message_id,
                in_doubt,
            } => {
                self.sent += 1;
                self.in_doubt += u64::from(in_doubt);
                self.message_id = Some(message_id);
            }
            Fate::Skipped { in_doubt } => {
                self.skipped += 1;
                self.in_doubt += u64::from(in_doubt);
            }
            Fate::Rejected { reason } => self.rejected.push(Refused { recipient, reason }),
        }
    }
}
