//! Security events: written down, in the audit log as well, and told to the account's owner where that is due.

use std::fmt;
use std::net::IpAddr;

use serde_json::Value;

use super::Error;
use crate::protocol::postgres::{Json, Parameter, Postgres, Type};

const RECORD: &str =
    "SELECT signtusk.record_security_event($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb)";

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    Info,
    Warning,
}

/// An event.
pub(super) struct Event<'a> {
    /// What it is, so that it is written once.
    pub(super) id: &'a str,
    pub(super) kind: EventType,
    pub(super) severity: Severity,
    pub(super) identifier: Option<&'a str>,
    pub(super) address: Option<IpAddr>,
    pub(super) user_agent: &'a str,
    pub(super) details: Value,
    /// The payload of the mail to the account's owner. Without a recipient it goes to the user whose id the
    /// identifier is.
    pub(super) mail: Option<Value>,
}

impl Event<'_> {
    /// Writes it down, and orders its mail, in one statement. Repeated, it does nothing.
    pub(super) async fn record(&self, postgres: &Postgres) -> Result<(), Error> {
        let event_type = self.kind.to_string();
        let severity = match self.severity {
            Severity::Info => "info",
            Severity::Warning => "warning",
        };
        let address = self.address.map(|address| address.to_string());
        let agent = (!self.user_agent.is_empty()).then_some(self.user_agent);
        let details = Json(&self.details);
        let mail = self.mail.as_ref().map(Json);
        let parameters: [Parameter<'_>; 8] = [
            (&self.id, Type::TEXT),
            (&event_type, Type::TEXT),
            (&severity, Type::TEXT),
            (&self.identifier, Type::TEXT),
            (&address, Type::TEXT),
            (&agent, Type::TEXT),
            (&details, Type::JSONB),
            (&mail, Type::JSONB),
        ];
        postgres.query_repeatable(RECORD, &parameters).await?;
        Ok(())
    }
}
