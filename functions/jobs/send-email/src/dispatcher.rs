//! Sends one mail through the ledger to the provider: recorded before, settled after.

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

/// Time reserved after the provider's answer for recording it.
const TIME_TO_SETTLE: Duration = Duration::from_millis(750);

/// The wait before an accepted mail is recorded again. The provider has the mail, so an early end would send it twice.
const SETTLE_PAUSE: Duration = Duration::from_millis(250);

/// The time required before a mail goes to the provider: for its answer and the ledger.
pub(crate) const TIME_FOR_ONE: Duration = Duration::from_secs(3);

/// The outcome of one mail.
#[derive(Clone)]
pub(crate) enum SendOutcome {
    /// The provider accepted it now.
    Sent {
        /// The provider's id of the mail, if it returned one.
        message_id: Option<String>,
        in_doubt: bool,
    },
    /// The provider accepted it earlier.
    Skipped { in_doubt: bool },
    /// The provider rejects it permanently.
    Rejected { reason: String },
    /// Its recipient gets no mail, or none of this kind.
    Suppressed { reason: Reason },
    /// Another mail replaces it.
    Superseded,
}

/// The provider and the ledger.
pub(crate) struct Dispatcher {
    ledger: MailLedger,
    sender: Sender,
}

impl Dispatcher {
    /// Reads the provider from the environment; the ledger is in this database.
    pub(crate) async fn from_env(postgres: Postgres) -> Result<Self, env::Error> {
        Ok(Self {
            sender: Sender::from_env().await?,
            ledger: MailLedger::new(postgres),
        })
    }

    /// Sends a mail unless the ledger has it as settled. The result is in the ledger before `deadline`. A rate limit of
    /// the provider is waited out here while time is left, because a deferral would cost a message each time.
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
        // The ledger may have taken long. A mail that starts too late would be cut off and sent twice.
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

    /// Records that the provider accepted the mail, with retries while time is left.
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
            // The mail may have been sent: the row stays unchanged, and the next attempt marks it in doubt.
            SendError::Unknown(_) => Err(Error::Provider(error)),
        }
    }

    /// Frees the row. If that fails, the mail is only marked in doubt without need, so the provider's error is
    /// reported.
    async fn release(&self, sending: &Sending, reason: &str) {
        if let Err(error) = self.ledger.released(sending, reason).await {
            tracing::warn!(
                error = causes(&error),
                "unsent mail not released in the ledger; it stays marked in doubt"
            );
        }
    }
}
