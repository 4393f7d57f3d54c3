//! The job's work: one mail after the other, each through the ledger, so that at most one is ever under way.
//!
//! A bulk that is interrupted - by a limit, by the clock, by a kill - is taken up again by the next delivery of the
//! same job: what has gone is skipped, what is left is sent.

use std::time::Duration;

use serde::Serialize;
use shared::base::env;
use shared::protocol::mail::{Mail, MessageId, Provider, SendError, Ses};
use shared::protocol::postgres::Postgres;
use shared::service::email::Email;
use shared::service::mail_ledger::{self, Begun, Entry, Identity, MailLedger, Sending};
use tokio::time::{Instant, timeout_at};

use crate::letter::Writer;

/// What must be left of the time before another mail is begun.
const TIME_FOR_ONE: Duration = Duration::from_secs(3);

/// What the provider must leave of the time, so that its answer can be written down.
const TIME_TO_SETTLE: Duration = Duration::from_millis(750);

/// How long to stay away after a limit that names no time, or while another job sends the same mail.
const STAY_AWAY: Duration = Duration::from_secs(30);

/// What became of a job's mails: the job's result.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivered {
    /// Mails that the provider took in this delivery.
    pub(crate) sent: usize,
    /// Mails that it had taken before.
    pub(crate) skipped: usize,
    /// Mails that it will never take.
    pub(crate) rejected: Vec<Refused>,
    /// Mails, sent or skipped, that may have gone twice.
    pub(crate) in_doubt: usize,
    /// The provider's id of the last mail that it took in this delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
}

/// A mail that the provider refused, named by its place: results hold no addresses.
#[derive(Debug, Serialize)]
pub(crate) struct Refused {
    /// The recipient's place in the payload, from 0.
    pub(crate) recipient: usize,
    /// The provider's words.
    pub(crate) reason: String,
}

/// Why the job is not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Time ran out with recipients left: go on at once, in another delivery.
    #[error("time ran out with {0} recipients left")]
    OutOfTime(usize),
    /// A limit is met, or another job is sending this mail: go on after a while.
    #[error("{reason}")]
    NotNow {
        /// How long to stay away.
        after: Duration,
        /// Why.
        reason: String,
    },
    /// The job's only mail is refused for good.
    #[error("the mail provider refused the mail: {0}")]
    Refused(String),
    /// The provider did not take the mail, or did not say so: try again.
    #[error("the mail was not sent")]
    Provider(#[source] SendError),
    /// The ledger could not be written: try again.
    #[error("the mail was not recorded")]
    Ledger(#[from] mail_ledger::Error),
    /// A template failed, which says that this build is broken.
    #[error("the mail could not be written")]
    Template(#[from] askama::Error),
}

/// One recipient's part of a job.
struct Errand {
    mail: Mail,
    place: usize,
}

/// Sends the mails of a deployment.
pub(crate) struct Postman {
    writer: Writer,
    ledger: MailLedger,
    provider: Provider,
    ses: Ses,
}

impl Postman {
    /// The provider, the ledger and the sender that the environment names. Nothing is opened yet.
    pub(crate) async fn from_env() -> Result<Self, env::Error> {
        Ok(Self {
            writer: Writer::from_env()?,
            ledger: MailLedger::new(Postgres::from_env()?),
            provider: Provider::from_env()?,
            ses: Ses::from_env().await,
        })
    }

    /// Sends what is left of a job, until it is done or `deadline` comes near; `progress` hears how many of how many
    /// recipients are settled.
    pub(crate) async fn deliver(
        &self,
        job_id: &str,
        email: &Email,
        deadline: Instant,
        progress: impl AsyncFn(usize, usize),
    ) -> Result<Delivered, Error> {
        let total = email.recipients();
        let mut delivered = Delivered::default();
        for place in 0..total {
            if deadline.duration_since(Instant::now()) < TIME_FOR_ONE {
                return Err(Error::OutOfTime(total - place));
            }
            let mail = self.mail(email, place)?;
            let entry = Entry {
                kind: email.kind(),
                recipient: &mail.to,
                job_id,
                identity: identity(email),
            };
            let begun = self.ledger.begin(&entry).await?;
            let errand = Errand {
                place,
                mail: mail.clone(),
            };
            self.run(errand, begun, deadline, &mut delivered).await?;
            progress(place + 1, total).await;
        }
        match (total, delivered.rejected.pop()) {
            (1, Some(refused)) => Err(Error::Refused(refused.reason)),
            (_, refused) => {
                delivered.rejected.extend(refused);
                Ok(delivered)
            }
        }
    }
}
