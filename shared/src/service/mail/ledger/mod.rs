//! The e-mail ledger: one row for each mail to one recipient. No mail is lost, and possible duplicates are known.
//!
//! `begin` writes `sending` before the provider is called, and the outcome settles the row. It becomes `accepted`,
//! `released` (certainly not accepted, may be retried) or `rejected` (permanently). A row found in `sending` belongs to
//! an attempt that ended without a result. The mail is sent again and stays marked in doubt, unless the provider
//! recognizes its key. A mail is not begun if its recipient is on the suppression list (`suppressed`, free again when
//! the address is removed), or if another mail has replaced it (`superseded`). Every call is one statement, and its own
//! attempt may repeat it.

mod entry;

use std::time::Duration;

use crate::base::id;
use crate::protocol::mail::{MessageId, Provider};
use crate::protocol::postgres::{self, Parameter, Postgres, Row, Type, column};
use crate::service::mail::suppression::Reason;

pub use self::entry::{Entry, Identity};

/// Begins a mail. A row is free if it was released or suppressed, or if its attempt can no longer be running. The job's
/// own lease excludes another delivery of the same job, and a minute is longer than the longest run of another one.
const BEGIN: &str = include_str!("begin.sql");

/// Settles a mail as accepted. The result of a later attempt does not undo it; a second message id proves that the mail
/// was sent twice.
const ACCEPTED: &str = include_str!("accepted.sql");

/// Settles a mail as not accepted, unless another attempt has taken the row over. It certainly was not sent only if no
/// earlier attempt ended without a result.
const SETTLED: &str = "UPDATE signtusk.email_ledger \
    SET state = $3, reason = $4, updated_at = now(), \
      sending_since = CASE WHEN $3 = 'released' AND NOT resumed THEN NULL ELSE sending_since END \
    WHERE key = $1 AND attempt = $2 AND state = 'sending'";

/// How long before the provider's own limit the ledger treats an idempotency key as expired: longer than a request
/// takes.
const KEY_MARGIN: Duration = Duration::from_mins(1);

/// Why the ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The statement failed; the cause says whether a retry is useful.
    #[error("the e-mail ledger is unavailable")]
    Postgres(#[from] postgres::Error),
    /// The row has a state that this version does not know.
    #[error("the e-mail ledger has an unknown state")]
    UnknownState,
}

impl Error {
    /// Returns whether the same call may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Postgres(error) if error.is_transient())
    }
}

/// The ledger's answer when a mail is begun.
#[derive(Debug)]
pub enum Begun {
    /// This attempt has the row: send the mail, then settle it.
    Send(Sending),
    /// The mail was sent.
    AlreadyAccepted {
        /// Whether it may have been sent twice.
        in_doubt: bool,
    },
    /// The provider has rejected this mail permanently.
    Rejected {
        /// The provider's message.
        reason: String,
    },
    /// The recipient is suppressed, for all mails or for this type.
    Suppressed {
        /// The most important reason that applies to this mail.
        reason: Reason,
    },
    /// Another mail has replaced this one.
    Superseded,
    /// Another job is sending this mail now: try again in a minute.
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
    /// Returns whether an earlier attempt ended without a known outcome: the mail may be sent a second time.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// Returns the row's key, which also identifies the mail at a provider.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// The ledger in the database.
#[derive(Clone, Debug)]
pub struct MailLedger(Postgres);

impl MailLedger {
    /// Returns the ledger of a migrated database.
    #[must_use]
    pub fn new(postgres: Postgres) -> Self {
        Self(postgres)
    }

    /// Begins a new attempt of this mail with `provider`, or returns why it must not be sent.
    pub async fn begin(&self, entry: &Entry<'_>, provider: Provider) -> Result<Begun, Error> {
        let attempt = id::nonce();
        let key = entry.key();
        let superseded = entry.superseded_key();
        let recipient = entry.recipient.as_str();
        let provider_name = provider.name();
        let known_for = provider.idempotency().map(key_life);
        let parameters: [Parameter<'_>; 14] = [
            (&key, Type::TEXT),
            (&entry.kind, Type::TEXT),
            (&recipient, Type::TEXT),
            (&entry.identity.request_id, Type::TEXT),
            (&entry.identity.signer_id, Type::TEXT),
            (&entry.identity.occurrence, Type::TEXT),
            (&entry.job_id, Type::TEXT),
            (&attempt, Type::TEXT),
            (&provider_name, Type::TEXT),
            (&known_for, Type::INT8),
            (&entry.optional, Type::BOOL),
            (&superseded, Type::TEXT),
            (&entry.supersedes, Type::TEXT),
            (&entry.acting_user, Type::TEXT),
        ];
        let rows = self.0.query_repeatable(BEGIN, &parameters).await?;
        begun(rows.first().ok_or(Error::UnknownState)?, key, attempt)
    }

    /// Settles a mail that the provider has accepted.
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

    /// Settles a mail that was certainly not accepted and may be retried.
    pub async fn released(&self, sending: &Sending, reason: &str) -> Result<(), Error> {
        self.settle(sending, "released", reason).await
    }

    /// Settles a mail that the provider rejects permanently.
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
        self.0.query_repeatable(sql, parameters).await?;
        Ok(())
    }
}

/// Returns for how many seconds a repeated call cannot send a mail twice, because the provider still knows its key.
fn key_life(window: Duration) -> i64 {
    let safe = window.saturating_sub(KEY_MARGIN);
    i64::try_from(safe.as_secs()).unwrap_or(i64::MAX)
}

fn begun(row: &Row, key: String, attempt: String) -> Result<Begun, Error> {
    let state: String = column(row, "state")?;
    let in_doubt = column(row, "in_doubt")?;
    let holder: String = column(row, "attempt")?;
    let reason: Option<String> = column(row, "reason")?;
    match state.as_str() {
        "sending" if holder == attempt => Ok(Begun::Send(Sending {
            key,
            attempt,
            in_doubt,
        })),
        "sending" => Ok(Begun::Busy),
        "accepted" => Ok(Begun::AlreadyAccepted { in_doubt }),
        "rejected" => Ok(Begun::Rejected {
            reason: reason.unwrap_or_default(),
        }),
        "suppressed" => reason
            .and_then(|reason| reason.parse().ok())
            .map(|reason| Begun::Suppressed { reason })
            .ok_or(Error::UnknownState),
        "superseded" => Ok(Begun::Superseded),
        _ => Err(Error::UnknownState),
    }
}
