//! Login and similar attempts: records one, and returns whether the account is locked.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::event::{Event, EventType, Severity};
use super::visitor::{Visitor, sha256};
use super::{ADDRESSES, ATTEMPT, ATTEMPT_ANSWER, DEVICES, Error, FAILURES, Security};
use crate::base::causes::causes;
use crate::base::id;
use crate::base::identity;
use crate::base::network::{plain, subscriber};
use crate::protocol::mail::EmailAddress;
use crate::protocol::upstash::{FromReply as _, Reply};
use crate::service::user_agent::UserAgent;

/// How long failures are remembered after the last attempt.
const FAILURES_LIFE: Duration = Duration::from_hours(24);

/// How long an answer is kept for a repeated request: longer than clients repeat one.
const ANSWER_LIFE: Duration = Duration::from_mins(1);

/// How long a device stays known after its last success.
const DEVICES_LIFE: Duration = Duration::from_hours(24 * 90);

/// How long addresses and accounts are remembered after the last attempt.
const SEEN_LIFE: Duration = Duration::from_hours(1);

/// The consecutive failures that lock one device, or one address, out of an account.
const VISITOR_BOUND: u32 = 5;

/// The failures from unknown devices that lock an account for unknown devices.
const ACCOUNTS_BOUND: u32 = 20;

/// The failures of unknown devices from one address, over all accounts, that lock the address for them.
const ADDRESSES_BOUND: u32 = 50;

/// The first lockout; each further failure doubles it.
const FIRST_LOCKOUT: Duration = Duration::from_secs(30);

/// The longest lockout.
const MAX_LOCKOUT: Duration = Duration::from_mins(30);

/// An attempt.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The type of the attempt, such as `login`; each type is counted separately.
    pub kind: &'a str,
    /// The account: an e-mail address, compared ignoring case, or a user's id.
    pub identifier: &'a str,
    /// The visitor who made it.
    pub visitor: Visitor<'a>,
    /// Whether it succeeded.
    pub success: bool,
    /// The address to alert; default: the identifier if it is an address, else the user's own.
    pub email: Option<&'a EmailAddress>,
}

/// The result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the account is locked for this visitor: then even a correct password must be rejected.
    pub locked: bool,
    /// Consecutive failures of this device, or of this address.
    pub failures: u64,
    /// How long the lockout lasts.
    pub wait: Duration,
}

impl Security {
    /// Records an attempt: one request to Redis, and one statement if the owner is to be alerted. If Postgres is
    /// unavailable, the attempt is still recorded, and the alert waits for the next reconciliation.
    pub async fn attempt(&self, attempt: &Attempt<'_>) -> Result<Outcome, Error> {
        let account = identity::folded(attempt.identifier);
        let visitor = &attempt.visitor;
        let (device, address) = (visitor.device(), subscriber(visitor.address));
        let reply = self
            .redis
            .eval(Self::call(attempt, &account, &device, &address));
        let (outcome, event, at) = read(reply.await?).ok_or(Error::Unreadable)?;
        if let Some(event) = event {
            self.report(&security_event(attempt, &account, event, at))
                .await;
        }
        Ok(outcome)
    }

    fn call(
        attempt: &Attempt<'_>,
        account: &str,
        device: &str,
        address: &str,
    ) -> crate::protocol::upstash::Invocation {
        let keys = attempt.visitor.address_keys();
        ATTEMPT
            .invoke()
            .key(failures(attempt.kind, account, None))
            .key(failures(attempt.kind, account, Some(device)))
            .key(failures(attempt.kind, account, Some(address)))
            .key(DEVICES.key(&sha256(&[account])))
            .key(keys.failures)
            .key(keys.lockout)
            .key(ADDRESSES.key(&sha256(&[account])))
            .key(keys.accounts)
            .key(ATTEMPT_ANSWER.key(&id::nonce()))
            .arg(u8::from(attempt.success))
            .arg(device)
            .arg(address)
            .arg(sha256(&[account]))
            .arg(FAILURES_LIFE.as_millis())
            .arg(DEVICES_LIFE.as_millis())
            .arg(SEEN_LIFE.as_millis())
            .arg(VISITOR_BOUND)
            .arg(ACCOUNTS_BOUND)
            .arg(ADDRESSES_BOUND)
            .arg(FIRST_LOCKOUT.as_millis())
            .arg(MAX_LOCKOUT.as_millis())
            .arg(ANSWER_LIFE.as_millis())
    }

    /// Writes the event, and publishes its mail; if the queue is unavailable, the sweep publishes it.
    async fn report(&self, event: &Event) {
        match event.record(&self.postgres).await {
            Ok(Some(job)) => {
                self.job_relay.publish(&self.outbox, &[job]).await;
            }
            Ok(None) => {}
            Err(error) => {
                log_error(
                    &event.id,
                    &error,
                    "security event not written to Postgres; it is spooled in Redis",
                );
                if let Err(error) = event.spool(&self.redis).await {
                    log_error(
                        &event.id,
                        &error,
                        "security event lost: neither Postgres nor Redis took it",
                    );
                }
            }
        }
    }
}

fn log_error(id: &str, error: &Error, what: &str) {
    tracing::error!(id, error = causes(error), "{what}");
}

fn security_event(attempt: &Attempt<'_>, account: &str, kind: EventType, at: Timestamp) -> Event {
    let visitor = &attempt.visitor;
    let named = sha256(&[attempt.kind, account, &at.to_string()]);
    let id = format!("{kind}:{named}");
    Event {
        kind,
        severity: match kind {
            EventType::AccountLocked => Severity::Warning,
            _ => Severity::Info,
        },
        identifier: Some(attempt.identifier.to_owned()),
        address: Some(plain(visitor.address)),
        user_agent: visitor.user_agent.to_owned(),
        details: json!({ "kind": attempt.kind }),
        mail: Some(mail(attempt, kind, at, &id)),
        id,
    }
}

/// Returns the key of an account's failures: of all unknown devices together, or of one device or address.
pub(super) fn failures(kind: &str, account: &str, whose: Option<&str>) -> String {
    FAILURES.key(&match whose {
        None => sha256(&[kind, account]),
        Some(whose) => sha256(&[kind, account, whose]),
    })
}

/// Returns the mail to the owner. Its occurrence is the event's id, so that it is sent once.
fn mail(attempt: &Attempt<'_>, event: EventType, at: Timestamp, id: &str) -> Value {
    let visitor = &attempt.visitor;
    let event_name = match event {
        EventType::NewDevice => "new-device",
        _ => "account-locked",
    };
    let mut mail = json!({
        "type": "security-alert",
        "event": event_name,
        "at": at.to_string(),
        "ipAddress": plain(visitor.address).to_string(),
        "occurrence": id,
    });
    if let Some(device) = UserAgent::parse(visitor.user_agent).describe() {
        mail["device"] = device.into();
    }
    let own = EmailAddress::parse(attempt.identifier.trim()).ok();
    if let Some(email) = attempt.email.or(own.as_ref()) {
        mail["to"] = email.as_str().into();
    }
    mail
}

/// Reads the script's answer: the outcome, and the event to alert the owner about, with its instant.
fn read(reply: Reply) -> Option<(Outcome, Option<EventType>, Timestamp)> {
    let Reply::Array(items) = reply else {
        return None;
    };
    let [locked, failures, wait, event, at] = <[Reply; 5]>::try_from(items).ok()?;
    let event = match String::from_reply(event).ok()?.as_str() {
        "account-locked" => Some(EventType::AccountLocked),
        "new-device" => Some(EventType::NewDevice),
        _ => None,
    };
    let at = String::from_reply(at).ok()?.parse().unwrap_or_default();
    let outcome = Outcome {
        locked: i64::from_reply(locked).ok()? == 1,
        failures: u64::from_reply(failures).ok()?,
        wait: Duration::from_millis(u64::from_reply(wait).ok()?),
    };
    Some((outcome, event, Timestamp::from_millisecond(at).ok()?))
}
