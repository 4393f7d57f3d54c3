//! Failures that a test switches on: what a provider does on a bad day.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::mail::Provider;
use crate::{resend, ses};

/// One way to fail.
#[derive(Clone)]
pub enum Fault {
    /// The sending rate is met: 429 `TooManyRequestsException` (SES), `rate_limit_exceeded` (Resend).
    Throttled,
    /// 500: `InternalFailure` (SES), `internal_server_error` (Resend).
    ServerError,
    /// This mail will never go: 400 `MessageRejected` (SES), 422 `validation_error` (Resend).
    Rejected,
    /// Any other code of SES, in its own words. Calls of Resend do not meet it.
    Refused(ses::Code),
    /// Any other error of Resend, in its own words. Calls of SES do not meet it.
    RefusedByResend(resend::Code),
    /// The answer takes this much longer. The mail is kept even if the caller has gone by then.
    Slow(Duration),
    /// The mail is kept, and the connection closed without an answer.
    AcceptThenCut,
    /// Runs something of the test's, then closes the connection without an answer.
    Hook {
        /// Whether it runs before the mail is kept (and the mail is lost) or after.
        before: bool,
        /// What runs. It may block.
        run: Arc<dyn Fn() + Send + Sync>,
    },
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Throttled => f.write_str("Throttled"),
            Self::ServerError => f.write_str("ServerError"),
            Self::Rejected => f.write_str("Rejected"),
            Self::Refused(code) => write!(f, "Refused({code:?})"),
            Self::RefusedByResend(code) => write!(f, "RefusedByResend({code:?})"),
            Self::Slow(delay) => write!(f, "Slow({delay:?})"),
            Self::AcceptThenCut => f.write_str("AcceptThenCut"),
            Self::Hook { before, .. } => write!(f, "Hook {{ before: {before} }}"),
        }
    }
}

impl Fault {
    fn can_meet(&self, provider: Provider) -> bool {
        match self {
            Self::Refused(_) => provider == Provider::Ses,
            Self::RefusedByResend(_) => provider == Provider::Resend,
            _ => true,
        }
    }
}

/// Takes a mail as `fault` has it. `refusal` gives the provider's words for a fault that refuses, `keep` keeps the mail.
/// Nothing comes out where the caller gets no answer; what would have been refused anyway is still said.
pub(crate) async fn meet<T, R>(
    fault: Option<Fault>,
    refusal: impl Fn(&Fault) -> R,
    keep: impl FnOnce() -> Result<T, R>,
) -> Option<Result<T, R>> {
    match fault {
        None => Some(keep()),
        Some(Fault::Slow(delay)) => {
            tokio::time::sleep(delay).await;
            Some(keep())
        }
        Some(Fault::AcceptThenCut) => keep().err().map(Err),
        Some(Fault::Hook { before: true, run }) => {
            pull(run).await;
            None
        }
        Some(Fault::Hook { before: false, run }) => {
            let kept = keep();
            if kept.is_ok() {
                pull(run).await;
            }
            kept.err().map(Err)
        }
        Some(refusing) => Some(Err(refusal(&refusing))),
    }
}

/// Runs what a test hung on this call, where blocking hurts nobody.
async fn pull(run: Arc<dyn Fn() + Send + Sync>) {
    if let Err(error) = tokio::task::spawn_blocking(move || run()).await {
        tracing::warn!(%error, "hook of a fault failed");
    }
}

/// The switch. Clones share it. A recipient's fault goes before the next calls' fault, and that before the standing one.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Switch>>);

#[derive(Debug, Default)]
struct Switch {
    standing: Option<Fault>,
    next: Option<(u32, Fault)>,
    recipients: HashMap<String, Fault>,
}

impl Faults {
    /// Every call fails like this, until `None`.
    pub fn set(&self, fault: Option<Fault>) {
        self.switch().standing = fault;
    }

    /// The next `calls` calls fail like this, those after them do not. It replaces what was set for the next ones before.
    pub fn set_for_next(&self, calls: u32, fault: Fault) {
        self.switch().next = (calls > 0).then_some((calls, fault));
    }

    /// Every call with this recipient fails like this, until `None`.
    pub fn for_recipient(&self, address: &str, fault: Option<Fault>) {
        let address = address.to_ascii_lowercase();
        let mut switch = self.switch();
        match fault {
            Some(fault) => switch.recipients.insert(address, fault),
            None => switch.recipients.remove(&address),
        };
    }

    /// The fault of the call to `provider` that goes to `recipients`; counts it.
    fn take(&self, provider: Provider, recipients: &[&str]) -> Option<Fault> {
        let mut switch = self.switch();
        let can_meet = |fault: &&Fault| fault.can_meet(provider);
        let personal = recipients
            .iter()
            .filter_map(|address| switch.recipients.get(&address.to_ascii_lowercase()))
            .find(can_meet);
        if let Some(fault) = personal {
            return Some(fault.clone());
        }
        match switch.next.take_if(|(_, fault)| can_meet(&&*fault)) {
            Some((left, fault)) => {
                switch.next = (left > 1).then(|| (left - 1, fault.clone()));
                Some(fault)
            }
            None => switch.standing.as_ref().filter(can_meet).cloned(),
        }
    }

    fn switch(&self) -> MutexGuard<'_, Switch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The switches of both providers: one that any call meets, and one for each.
#[derive(Debug, Default)]
pub(crate) struct Switches {
    pub(crate) any: Faults,
    ses: Faults,
    resend: Faults,
}

impl Switches {
    pub(crate) fn of(&self, provider: Provider) -> &Faults {
        match provider {
            Provider::Ses => &self.ses,
            Provider::Resend => &self.resend,
        }
    }

    /// The fault of the call to `provider` that goes to `recipients`: the provider's own first.
    pub(crate) fn take(&self, provider: Provider, recipients: &[&str]) -> Option<Fault> {
        self.of(provider)
            .take(provider, recipients)
            .or_else(|| self.any.take(provider, recipients))
    }
}
