//! The e-mail ledger: one row for one mail to one recipient, so that none is lost and what may have gone twice is
//! known.
//!
//! `begin` writes `sending` before the provider is called; the outcome settles it: `accepted`, `released` (surely not
//! accepted, free to be tried again) or `rejected` (never). A row that is found in `sending` belongs to an attempt
//! that ended without a word: it is sent again and stays marked in doubt. Every call is one statement, and every
//! statement may be repeated by the attempt that made it.

mod entry;

use crate::base::id;
use crate::protocol::mail::MessageId;
use crate::protocol::postgres::{self, Parameter, Postgres, Row, Type, column};

pub use self::entry::{Entry, Identity};

/// Begins a mail. A row is free when it was released, or when its attempt can no longer be running: the job's own
/// lease excludes another delivery of the same job, and a minute is more than the longest run of another one.
const BEGIN: &str = include_str!("begin.sql");

/// Settles a mail as accepted. A later attempt's word does not undo it.
const ACCEPTED: &str = "UPDATE signtusk.email_ledger \
    SET state = 'accepted', provider = $2, message_id = $3, reason = NULL, updated_at = now() \
    WHERE key = $1";

/// Settles a mail as not accepted, unless another attempt has taken the row over.
const SETTLED: &str = "UPDATE signtusk.email_ledger \
    SET state = $3, reason = $4, updated_at = now() \
    WHERE key = $1 AND attempt = $2 AND state = 'sending'";

/// Why the ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database did not take the statement; the cause says whether it may be tried again.
    #[error("the e-mail ledger cannot be written")]
    Postgres(#[from] postgres::Error),
    /// The row is in a state that this build does not know.
    #[error("the e-mail ledger holds an unknown state")]
    UnknownState,
}

impl Error {
    /// Whether the same call may succeed a moment later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Postgres(error) if error.may_pass())
    }
}

/// What the ledger says when a mail is to be sent.
#[derive(Debug)]
pub enum Begun {
    /// The row is this attempt's: send, then settle.
    Send(Sending),
    /// The mail has gone.
    AlreadyAccepted {
        /// Whether it may have gone twice.
        in_doubt: bool,
    },
    /// The provider has refused this mail for good.
    Rejected {
        /// The provider's words.
        reason: String,
    },
    /// Another job is sending this very mail at the moment: come back in a minute.
    Busy,
}

/// A mail that this attempt has begun and must settle.
#[derive(Debug)]
pub struct Sending {
    key: String,
    attempt: String,
    in_doubt: bool,
}

impl Sending {
    /// Whether an earlier attempt ended without its outcome being known: the mail may go a second time.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// The row's key, which is also the mail's identity towards a provider.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// The ledger in its database.
#[derive(Clone, Debug)]
pub struct MailLedger(Postgres);

impl MailLedger {
    /// The ledger of a migrated database.
    #[must_use]
    pub fn new(postgres: Postgres) -> Self {
        Self(postgres)
    }

    /// Takes the row of this mail for a new attempt, or says why there is nothing to send.
    pub async fn begin(&self, entry: &Entry<'_>) -> Result<Begun, Error> {
        let attempt = id::nonce();
        let key = entry.key();
        let recipient = entry.recipient.as_str();
        let parameters: [Parameter<'_>; 8] = [
            (&key, Type::TEXT),
            (&entry.kind, Type::TEXT),
            (&recipient, Type::TEXT),
            (&entry.identity.request_id, Type::TEXT),
            (&entry.identity.signer_id, Type::TEXT),
            (&entry.identity.occurrence, Type::TEXT),
            (&entry.job_id, Type::TEXT),
            (&attempt, Type::TEXT),
        ];
        let mut rows = self.0.query(BEGIN, &parameters).await.map_err(Error::from);
        if rows.as_ref().is_err_and(Error::may_pass) {
            rows = self.0.query(BEGIN, &parameters).await.map_err(Error::from);
        }
        begun(rows?.first().ok_or(Error::UnknownState)?, key, attempt)
    }

    /// Settles a mail that the provider has taken.
    pub async fn accepted(
        &self,
        sending: &Sending,
        provider: &str,
        message_id: &MessageId,
    ) -> Result<(), Error> {
        let message_id = message_id.as_str();
        let parameters: [Parameter<'_>; 3] = [
            (&sending.key, Type::TEXT),
            (&provider, Type::TEXT),
            (&message_id, Type::TEXT),
        ];
        self.write(ACCEPTED, &parameters).await
    }

    /// Settles a mail that was surely not taken and may be tried again.
    pub async fn released(&self, sending: &Sending, reason: &str) -> Result<(), Error> {
        self.settle(sending, "released", reason).await
    }

    /// Settles a mail that the provider will never take.
    pub async fn rejected(&self, sending: &Sending, reason: &str) -> Result<(), Error> {
        self.settle(sending, "rejected", reason).await
    }

    async fn settle(&self, sending: &Sending, state: &str, reason: &str) -> Result<(), Error> {
        let parameters: [Parameter<'_>; 4] = [
            (&sending.key, Type::TEXT),
            (&sending.attempt, Type::TEXT),
            (&state, Type::TEXT),
            (&reason, Type::TEXT),
        ];
        self.write(SETTLED, &parameters).await
    }

    async fn write(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<(), Error> {
        let mut done = self.0.execute(sql, parameters).await.map_err(Error::from);
        if done.as_ref().is_err_and(Error::may_pass) {
            done = self.0.execute(sql, parameters).await.map_err(Error::from);
        }
        done.map(drop)
    }
}

fn begun(row: &Row, key: String, attempt: String) -> Result<Begun, Error> {
    let state: String = column(row, "state")?;
    let in_doubt = column(row, "in_doubt")?;
    let holder: String = column(row, "attempt")?;
    match state.as_str() {
        "sending" if holder == attempt => Ok(Begun::Send(Sending {
            key,
            attempt,
            in_doubt,
        })),
        "sending" => Ok(Begun::Busy),
        "accepted" => Ok(Begun::AlreadyAccepted { in_doubt }),
        "rejected" => Ok(Begun::Rejected {
            reason: column::<Option<String>>(row, "reason")?.unwrap_or_default(),
        }),
        _ => Err(Error::UnknownState),
    }
}
