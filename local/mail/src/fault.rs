//! Failures that a test switches on: what a provider does on a bad day.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::refusal::Code;

/// One way to fail.
#[derive(Clone)]
pub enum Fault {
    /// 429 `TooManyRequestsException`: the sending rate is met.
    Throttled,
    /// 500 `InternalFailure`.
    ServerError,
    /// 400 `MessageRejected`: this mail will never go.
    Rejected,
    /// Any other code, in SES's own words.
    Refused(Code),
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
            Self::Slow(delay) => write!(f, "Slow({delay:?})"),
            Self::AcceptThenCut => f.write_str("AcceptThenCut"),
            Self::Hook { before, .. } => write!(f, "Hook {{ before: {before} }}"),
        }
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

    /// The fault of the call that goes to `recipients`; counts it.
    pub(crate) fn take(&self, recipients: &[&str]) -> Option<Fault> {
        let mut switch = self.switch();
        let personal = recipients
            .iter()
            .find_map(|address| switch.recipients.get(&address.to_ascii_lowercase()));
        if let Some(fault) = personal {
            return Some(fault.clone());
        }
        match switch.next.take() {
            Some((left, fault)) => {
                switch.next = (left > 1).then(|| (left - 1, fault.clone()));
                Some(fault)
            }
            None => switch.standing.clone(),
        }
    }

    fn switch(&self) -> MutexGuard<'_, Switch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
