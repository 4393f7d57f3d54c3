//! Security events: stored, written to the audit log, and mailed to the account's owner if required.
//!
//! While Postgres is unavailable, events wait in Redis ([`Reconciler`](super::Reconciler)).

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Error, PENDING_EVENTS};
use crate::protocol::postgres::{Json, Parameter, Postgres, Transaction, Type, column};
use crate::protocol::upstash::{Command, Pipeline, Redis};

const RECORD: &str = "SELECT signtusk.record_security_event(\
    $1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb)::text AS job";

/// The largest number of waiting events; the oldest are dropped first.
const MAX_PENDING_EVENTS: i64 = 1_000;

/// The type of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum EventType {
    AccountLocked,
    NewDevice,
    NetworkBlocked,
    NetworkUnblocked,
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccountLocked => "account_locked",
            Self::NewDevice => "new_device",
            Self::NetworkBlocked => "network_blocked",
            Self::NetworkUnblocked => "network_unblocked",
        })
    }
}

/// The severity of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Severity {
    Info,
    Warning,
}

/// An event.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Event {
    /// The event's id, so that it is written once.
    pub(super) id: String,
    pub(super) kind: EventType,
    pub(super) severity: Severity,
    pub(super) identifier: Option<String>,
    pub(super) address: Option<IpAddr>,
    pub(super) user_agent: String,
    pub(super) details: Value,
    /// The payload of the mail to the account's owner. Without a recipient it goes to the user whose id is the
    /// identifier.
    pub(super) mail: Option<Value>,
}

impl Event {
    /// Writes the event and its mail in one statement, and returns the mail's outbox row. Repeating it changes nothing.
    pub(super) async fn record(&self, postgres: &Postgres) -> Result<Option<String>, Error> {
        let columns = Columns::of(self);
        let parameters = columns.parameters();
        let rows = postgres.query_repeatable(RECORD, &parameters).await?;
        Ok(column(rows.first().ok_or(Error::Unreadable)?, "job")?)
    }

    /// Writes it within a transaction of the caller.
    pub(super) async fn record_with(&self, transaction: &Transaction) -> Result<(), Error> {
        let columns = Columns::of(self);
        transaction.query(RECORD, &columns.parameters()).await?;
        Ok(())
    }

    /// Spools it in Redis for the next reconciliation.
    pub(super) async fn spool(&self, redis: &Redis) -> Result<(), Error> {
        let text = serde_json::to_string(self).map_err(|_| Error::Unreadable)?;
        let key = PENDING_EVENTS.key("");
        let spooling = Pipeline::new()
            .command(Command::new("RPUSH").arg(&key).arg(text))
            .command(
                Command::new("LTRIM")
                    .arg(&key)
                    .arg(-MAX_PENDING_EVENTS)
                    .arg(-1),
            );
        redis.pipeline(spooling).await?;
        Ok(())
    }
}

/// The columns of an event's statement.
struct Columns<'a> {
    id: &'a str,
    kind: String,
    severity: &'static str,
    identifier: Option<&'a str>,
    address: Option<String>,
    agent: Option<&'a str>,
    details: Json<&'a Value>,
    mail: Option<Json<&'a Value>>,
}

impl<'a> Columns<'a> {
    fn of(event: &'a Event) -> Self {
        Self {
            id: &event.id,
            kind: event.kind.to_string(),
            severity: match event.severity {
                Severity::Info => "info",
                Severity::Warning => "warning",
            },
            identifier: event.identifier.as_deref(),
            address: event.address.map(|address| address.to_string()),
            agent: Some(event.user_agent.as_str()).filter(|agent| !agent.is_empty()),
            details: Json(&event.details),
            mail: event.mail.as_ref().map(Json),
        }
    }

    fn parameters(&self) -> [Parameter<'_>; 8] {
        [
            (&self.id, Type::TEXT),
            (&self.kind, Type::TEXT),
            (&self.severity, Type::TEXT),
            (&self.identifier, Type::TEXT),
            (&self.address, Type::TEXT),
            (&self.agent, Type::TEXT),
            (&self.details, Type::JSONB),
            (&self.mail, Type::JSONB),
        ]
    }
}
