//! Faults that a test configures, to simulate failures of a provider.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::mail::Provider;
use crate::{resend, ses};

/// A fault.
#[derive(Clone)]
pub enum Fault {
    /// The rate limit is reached: 429 `TooManyRequestsException` (SES), `rate_limit_exceeded` (Resend).
    Throttled,
    /// 500: `InternalFailure` (SES), `internal_server_error` (Resend).
    ServerError,
    /// The mail is rejected permanently: 400 `MessageRejected` (SES), 422 `validation_error` (Resend).
    Rejected,
    /// Any other error code of SES, with its message. Resend calls are not affected.
    Refused(ses::Code),
    /// Any other error of Resend, with its message. SES calls are not affected.
    RefusedByResend(resend::Code),
    /// The response is delayed by this time. The mail is stored even if the caller has disconnected.
    Slow(Duration),
    /// The mail is stored, and the connection closed without a response.
    AcceptThenCut,
    /// Runs a test's hook, then closes the connection without a response.
    Hook {
        /// Whether it runs before the mail is stored (then the mail is lost) or after.
        before: bool,
        /// The hook. It may block.
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
    fn applies_to(&self, provider: Provider) -> bool {
        match self {
            Self::Refused(_) => provider == Provider::Ses,
            Self::RefusedByResend(_) => provider == Provider::Resend,
            _ => true,
        }
    }
}

/// Applies `fault` to a mail. `refusal` gives the provider's error for a rejecting fault, and `keep` stores the mail.
/// Returns none if the caller gets no response. A mail that is rejected anyway still gets its error.
pub(crate) async fn apply<T, R>(
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
            run_hook(run).await;
            None
        }
        Some(Fault::Hook { before: false, run }) => {
            let kept = keep();
            if kept.is_ok() {
                run_hook(run).await;
            }
            kept.err().map(Err)
        }
        Some(refusing) => Some(Err(refusal(&refusing))),
    }
}

/// Runs a test's hook on a thread where it may block.
async fn run_hook(run: Arc<dyn Fn() + Send + Sync>) {
    if let Err(error) = tokio::task::spawn_blocking(move || run()).await {
        tracing::warn!(%error, "hook of a fault failed");
    }
}

/// The switch of faults. Clones share it. A recipient's fault has priority over the fault of the next calls, and that
/// over the permanent one.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Switch>>);

#[derive(Debug, Default)]
struct Switch {
    standing: Option<Fault>,
    next: Option<(u32, Fault)>,
    recipients: HashMap<String, Fault>,
}

impl Faults {
    /// Sets the fault of every call, until `None`.
    pub fn set(&self, fault: Option<Fault>) {
        self.switch().standing = fault;
    }

    /// Sets the fault of the next `calls` calls. It replaces an earlier one for the next calls.
    pub fn set_for_next(&self, calls: u32, fault: Fault) {
        self.switch().next = (calls > 0).then_some((calls, fault));
    }

    /// Sets the fault of every call with this recipient, until `None`.
    pub fn for_recipient(&self, address: &str, fault: Option<Fault>) {
        let address = address.to_ascii_lowercase();
        let mut switch = self.switch();
        match fault {
            Some(fault) => switch.recipients.insert(address, fault),
            None => switch.recipients.remove(&address),
        };
    }

    /// Returns the fault of the call to `provider` for `recipients`, and counts it.
    fn take(&self, provider: Provider, recipients: &[&str]) -> Option<Fault> {
        let mut switch = self.switch();
        let applies_to = |fault: &&Fault| fault.applies_to(provider);
        let personal = recipients
            .iter()
            .filter_map(|address| switch.recipients.get(&address.to_ascii_lowercase()))
            .find(applies_to);
        if let Some(fault) = personal {
            return Some(fault.clone());
        }
        match switch.next.take_if(|(_, fault)| applies_to(&&*fault)) {
            Some((left, fault)) => {
                switch.next = (left > 1).then(|| (left - 1, fault.clone()));
                Some(fault)
            }
            None => switch.standing.as_ref().filter(applies_to).cloned(),
        }
    }

    fn switch(&self) -> MutexGuard<'_, Switch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The switches of both providers: one for all calls, and one for each provider.
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

    /// Returns the fault of the call to `provider` for `recipients`; the provider's own switch has priority.
    pub(crate) fn take(&self, provider: Provider, recipients: &[&str]) -> Option<Fault> {
        self.of(provider)
            .take(provider, recipients)
            .or_else(|| self.any.take(provider, recipients))
    }
}
