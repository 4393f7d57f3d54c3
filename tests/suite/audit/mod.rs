//! The audit log: chains cannot fork, changes are detected, and no role may change the log.

mod api;
mod append;
mod canonical;
mod domain;
mod pages;
mod retention;
mod rights;
mod tampered;

use serde_json::{Value, json};
use shared::service::audit::{Appended, Audit, Event};

use crate::support::ledger::LedgerDatabase;

/// Returns an event of a signing request.
fn signed(request: &str) -> Value {
    json!({
        "action": "sign",
        "resourceType": "signing_request",
        "resourceId": request,
        "userId": "ann",
        "domain": "example.com",
        "details": { "title": "Lease of a flat", "page": 3 },
        "metadata": [1, "two", null],
        "ipAddress": "192.0.2.7",
        "userAgent": "suite",
        "timestamp": 1_700_000_000_000_i64,
    })
}

fn event(value: Value) -> Event {
    serde_json::from_value(value).unwrap()
}

async fn append(database: &LedgerDatabase, id: &str, value: Value) -> Appended {
    let audit = Audit::new(database.functions.clone());
    audit.append(id, &event(value)).await.unwrap()
}

/// Returns the row of an event, as the owner reads it.
async fn row(database: &LedgerDatabase, id: &str) -> Value {
    let sql = format!(
        "select to_jsonb(entry) as value from public.audit_logs as entry where event_id = '{id}'"
    );
    database.read(&sql).await
}
