//! Kills the function's instance at named points in the life of one mail.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use local_gateway::KillSwitch;
use local_mail::{Fault, Faults};

use super::{Stage, end_lease};
use crate::support::proxy::carries;

/// A point at which an instance is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    /// The ledger's row has not reached Postgres.
    BeforeRow,
    /// The row is written, and the provider has not stored the mail.
    BeforeProvider,
    /// The provider has stored the mail, and its response is not sent.
    AfterProvider,
    /// The response has arrived, and the row's update has not reached Postgres.
    BeforeUpdate,
}

impl Point {
    pub(super) const ALL: [Self; 4] = [
        Self::BeforeRow,
        Self::BeforeProvider,
        Self::AfterProvider,
        Self::BeforeUpdate,
    ];

    /// Returns whether the provider is processing the mail.
    pub(super) fn is_at_provider(self) -> bool {
        matches!(self, Self::BeforeProvider | Self::AfterProvider)
    }

    /// Returns whether a row remains that marks the mail as possibly sent.
    pub(super) fn leaves_doubt(self) -> bool {
        self != Self::BeforeRow
    }

    /// Returns whether the mail was sent, so that the next delivery sends it again.
    pub(super) fn doubles(self) -> bool {
        matches!(self, Self::AfterProvider | Self::BeforeUpdate)
    }
}

/// Kills instances at the planned points.
pub(super) struct Reaper {
    kill_switch: KillSwitch,
    faults: Faults,
    redis: SocketAddr,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    job_id: String,
    /// The remaining points of each recipient, in order: one per delivery.
    planned: BTreeMap<String, VecDeque<Point>>,
    /// The recipient of the last written row, if it has points: a job sends one mail after the other.
    current: Option<String>,
    /// The number of instances killed for this job.
    killed: usize,
}

impl Reaper {
    /// Creates a reaper that watches all traffic of this stage's functions.
    pub(super) fn watch(stage: &Stage) -> Arc<Self> {
        let reaper = Arc::new(Self {
            kill_switch: stage.cloud.gateway().kill_switch(),
            faults: stage.cloud.mail().faults(),
            redis: stage.cloud.redis_server_addr(),
            state: Mutex::default(),
        });
        let watching = Arc::clone(&reaper);
        stage
            .statements
            .guard(move |bytes| watching.lets_through(bytes));
        reaper
    }

    /// Plans the points at which instances that run this job are killed, each once.
    pub(super) fn plan(self: &Arc<Self>, job_id: &str, planned: BTreeMap<String, VecDeque<Point>>) {
        let recipients: Vec<String> = planned.keys().cloned().collect();
        *self.state.lock().unwrap() = State {
            job_id: job_id.to_owned(),
            planned,
            ..State::default()
        };
        for recipient in recipients {
            self.arm(&recipient);
        }
    }

    /// Returns the number of instances killed for this job.
    pub(super) fn killed(&self) -> usize {
        self.state.lock().unwrap().killed
    }

    /// Returns the points that were not reached.
    pub(super) fn left(&self) -> Vec<Point> {
        let state = self.state.lock().unwrap();
        state.planned.values().flatten().copied().collect()
    }

    /// Returns whether a statement may continue to Postgres.
    fn lets_through(self: &Arc<Self>, bytes: &[u8]) -> bool {
        let point = if carries(bytes, "INSERT INTO signtusk.email_ledger") {
            let mut state = self.state.lock().unwrap();
            let current = state.planned.keys().find(|to| carries(bytes, to)).cloned();
            state.current = current;
            Point::BeforeRow
        } else if carries(bytes, "UPDATE signtusk.email_ledger") {
            Point::BeforeUpdate
        } else {
            return true;
        };
        let current = self.state.lock().unwrap().current.clone();
        current.is_none_or(|recipient| !self.strikes(&recipient, point))
    }

    /// Kills if this point is the recipient's next one.
    fn strikes(self: &Arc<Self>, recipient: &str, point: Point) -> bool {
        let job_id = {
            let mut state = self.state.lock().unwrap();
            let points = state.planned.get_mut(recipient);
            let Some(points) = points.filter(|points| points.front() == Some(&point)) else {
                return false;
            };
            points.pop_front();
            state.job_id.clone()
        };
        // Armed first: the next delivery may start as soon as the instance has ended.
        self.arm(recipient);
        end_lease(self.redis, &job_id);
        // Counted before a test reads it: the job continues as soon as its instance has ended.
        let mut state = self.state.lock().unwrap();
        state.killed += self.kill_switch.kill("send-email");
        true
    }

    /// Sets the provider's hook for a recipient whose next point is at the provider.
    fn arm(self: &Arc<Self>, recipient: &str) {
        let next = self.state.lock().unwrap().planned[recipient]
            .front()
            .copied();
        let fault = next.filter(|point| point.is_at_provider()).map(|point| {
            let (reaper, to) = (Arc::clone(self), recipient.to_owned());
            Fault::Hook {
                before: point == Point::BeforeProvider,
                run: Arc::new(move || {
                    reaper.strikes(&to, point);
                }),
            }
        });
        self.faults.for_recipient(recipient, fault);
    }
}
