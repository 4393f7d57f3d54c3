//! One mail through the ledger to the provider: written down before, settled after.

use std::time::Duration;

use shared::base::causes::causes;
use shared::base::env;
use shared::protocol::mail::{Mail, MessageId, SendError, Sender};
use shared::protocol::postgres::Postgres;
use shared::service::mail::ledger::{Begun, Entry, MailLedger, Sending};
use shared::service::mail::suppression::Reason;
use tokio::time::{Instant, sleep, timeout_at};

use crate::outcome::Error;
use crate::pace::Pace;

/// What the provider must leave of the time, so that its answer can still be written down.
const TIME_TO_SETTLE: Duration = Duration::from_millis(750);

/// How long to wait before an accepted mail is written down again: the provider has it, so giving up early would
/// send it twice.
const SETTLE_PAUSE: Duration = Duration::from_millis(250);

/// What must be left of the time before a mail goes to the provider: enough for its answer and the ledger.
pub(crate) const TIME_FOR_ONE: Duration = Duration::from_secs(3);

/// What became of one mail.
#[derive(Clone)]
pub(crate) enum SendOutcome {
    /// The provider took it now.
    Sent {
        /// The provider's id of it, if it told it.
        message_id: Option<String>,
        in_doubt: bool,
    },
    /// The provider had taken it before.
    Skipped { in_doubt: bool },
    /// The provider will never take it.
    Rejected { reason: String },
    /// Its recipient gets no mail, or none of this kind.
    Suppressed { reason: Reason },
    /// Another mail has taken its place.
    Superseded,
}

/// The provider and the ledger.
pub(crate) struct Dispatcher {
    ledger: MailLedger,
    sender: Sender,
}

impl Dispatcher {
    /// The provider of the environment, and the ledger in this database.
    pub(crate) async fn from_env(postgres: Postgres) -> Result<Self, env::Error> {
        Ok(Self {
            sender: Sender::from_env().await?,
            ledger: MailLedger::new(postgres),
        })
    }

    /// Sends a mail unless the ledger says that it is settled; its answer is in the ledger before `deadline`. A rate of the
    /// provider is waited out here as long as the time allows: putting the job off would cost a message each time.
    pub(crate) async fn send(
        &self,
        mail: &Mail,
        entry: &Entry<'_>,
        deadline: Instant,
    ) -> Result<SendOutcome, Error> {
        let mut pace = Pace::default();
        loop {
            let (retry_after, reason) = match self.send_once(mail, entry, deadline).await {
                Err(Error::Throttled {
                    retry_after,
                    reason,
                }) => (retry_after, reason),
                outcome => return outcome,
            };
            let wait = pace.next(retry_after);
            if Instant::now() + wait + TIME_FOR_ONE > deadline {
                return Err(Error::Throttled {
                    retry_after: Some(wait),
                    reason,
                });
            }
            tracing::info!(wait = ?wait, reason, "mail throttled; sent again after the wait");
            sleep(wait).await;
        }
    }

    async fn send_once(
        &self,
        mail: &Mail,
        entry: &Entry<'_>,
        deadline: Instant,
    ) -> Result<SendOutcome, Error> {
        let sending = match self.ledger.begin(entry, self.sender.provider()).await? {
            Begun::Send(sending) => sending,
            Begun::AlreadyAccepted { in_doubt } => return Ok(SendOutcome::Skipped { in_doubt }),
            Begun::Rejected { reason } => return Ok(SendOutcome::Rejected { reason }),
            Begun::Suppressed { reason } => return Ok(SendOutcome::Suppressed { reason }),
            Begun::Superseded => return Ok(SendOutcome::Superseded),
            Begun::Busy => return Err(Error::Busy),
        };
        // The ledger may have taken long. A mail that is begun too late would be given up half-way and go twice.
        if deadline.saturating_duration_since(Instant::now()) < TIME_FOR_ONE {
            self.release(&sending, "the time ran out before it was sent")
                .await;
            return Err(Error::OutOfTime(1));
        }
        let answer = timeout_at(
            deadline - TIME_TO_SETTLE,
            self.sender.send(mail, sending.key()),
        )
        .await;
        match answer.unwrap_or_else(|elapsed| Err(SendError::Unknown(elapsed.into()))) {
            Ok(message_id) => {
                self.accepted(&sending, &message_id, deadline).await?;
                Ok(SendOutcome::Sent {
                    in_doubt: sending.in_doubt(),
                    message_id: message_id.known().map(str::to_owned),
                })
            }
            Err(error) => self.not_accepted(&sending, error).await,
        }
    }

    /// Writes down that the provider has the mail, as often as the time allows.
    async fn accepted(
        &self,
        sending: &Sending,
        id: &MessageId,
        deadline: Instant,
    ) -> Result<(), Error> {
        loop {
            match self
                .ledger
                .accepted(sending, self.sender.provider().name(), id)
                .await
            {
                Err(error) if error.is_transient() && Instant::now() + SETTLE_PAUSE < deadline => {
                    sleep(SETTLE_PAUSE).await;
                }
                settled => return Ok(settled?),
            }
        }
    }

    async fn not_accepted(
        &self,
        sending: &Sending,
        error: SendError,
    ) -> Result<SendOutcome, Error> {
        match error {
            SendError::Rejected { reason } => {
                self.ledger.rejected(sending, &reason).await?;
                Ok(SendOutcome::Rejected { reason })
            }
            SendError::Throttled {
                retry_after,
                reason,
            } => {
                self.release(sending, &reason).await;
                Err(Error::Throttled {
                    retry_after,
                    reason,
                })
            }
            SendError::Unavailable(_) | SendError::NotAllowed { .. } => {
                self.release(sending, &error.to_string()).await;
                Err(Error::Provider(error))
            }
            // It may have gone: the row stays as it is, and the next attempt knows that it is in doubt.
            SendError::Unknown(_) => Err(Error::Provider(error)),
        }
    }

    /// Frees the row. Where that fails the mail is only marked in doubt without need, so the provider's own error is
    /// the one to report.
    async fn release(&self, sending: &Sending, reason: &str) {
        if let Err(error) = self.ledger.released(sending, reason).await {
            tracing::warn!(
                error = causes(&error),
                "unsent mail not released in the ledger; it stays marked in doubt"
            );
        }
    }
}
