//! The e-mail ledger: one row for one mail to one recipient, so that none is lost and what may have gone twice is
//! known.
//!
//! `begin` writes `sending` before the provider is called; the outcome settles it: `accepted`, `released` (surely not
//! accepted, free to be tried again) or `rejected` (never). A row that is found in `sending` belongs to an attempt
//! that ended without a word: it is sent again, and stays marked in doubt unless the provider knows the mail again by
//! its key. A mail is not begun whose recipient is on the suppression list (`suppressed`, free again when the address
//! is lifted off it) or whose place another mail has taken (`superseded`). Every call is one statement, and every
//! statement may be repeated by the attempt that made it.

mod entry;

use std::time::Duration;

use crate::base::id;
use crate::protocol::mail::{MessageId, Provider};
use crate::protocol::postgres::{self, Parameter, Postgres, Row, Type, column};
use crate::service::mail::suppression::Reason;

pub use self::entry::{Entry, Identity};

/// Begins a mail. A row is free when it was released or suppressed, or when its attempt can no longer be running: the
/// job's own lease excludes another delivery of the same job, and a minute is more than the longest run of another one.
const BEGIN: &str = include_str!("begin.sql");

/// Settles a mail as accepted. A later attempt's word does not undo it; a second message id proves that it went twice.
const ACCEPTED: &str = include_str!("accepted.sql");

/// Settles a mail as not accepted, unless another attempt has taken the row over. It is surely nowhere only if no
/// earlier attempt ended without a word.
const SETTLED: &str = "UPDATE signtusk.email_ledger \
    SET state = $3, reason = $4, updated_at = now(), \
      sending_since = CASE WHEN $3 = 'released' AND NOT resumed THEN NULL ELSE sending_since END \
    WHERE key = $1 AND attempt = $2 AND state = 'sending'";

/// How much earlier than the provider the ledger takes an idempotency key for forgotten: longer than a request is
/// under way.
const KEY_MARGIN: Duration = Duration::from_mins(1);

/// Why the ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database did not take the statement; the cause says whether it may be tried again.
    #[error("the e-mail ledger is unavailable")]
    Postgres(#[from] postgres::Error),
    /// The row is in a state that this build does not know.
    #[error("the e-mail ledger has an unknown state")]
    UnknownState,
}

impl Error {
    /// Whether the same call may succeed a moment later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Postgres(error) if error.is_transient())
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
    /// The recipient gets no mail, or none of this kind.
    Suppressed {
        /// Why: the weightiest reason that holds for this mail.
        reason: Reason,
    },
    /// Another mail has taken the place of this one.
    Superseded,
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

    /// Takes the row of this mail for a new attempt with `provider`, or says why there is nothing to send.
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
        self.0.query_repeatable(sql, parameters).await?;
        Ok(())
    }
}

/// For how many seconds a mail that may be with a provider is not sent a second time by being sent again.
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
