//! A function: calls go into one queue, and its instances take them from there when they poll. So a call is never handed
//! to a process that has just died, and beyond the most instances allowed calls simply wait.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::sync::{Notify, watch};

use super::fleet::{Fleet, InstanceId, Member, Phase};
use super::instance;
use super::invocation::{Current, Invocation, Outcome};
use super::log::Log;
use crate::leash::Leash;
use crate::{InvokeError, clock, template};

/// How long instances have to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(1);
/// How long the kernel has to end them after SIGKILL.
const REAPING: Duration = Duration::from_secs(5);

/// What an instance is told on a poll.
pub(crate) struct Delivery {
    /// The call's id.
    pub(crate) request_id: String,
    /// When it will be killed, in milliseconds since the epoch.
    pub(crate) deadline_millis: i64,
    /// The event.
    pub(crate) event: Bytes,
}

/// What a poll finds.
enum Poll {
    /// A call.
    Given(Delivery),
    /// No call at present.
    Empty,
    /// That the instance has been taken out.
    Gone,
}

/// One function of the template.
pub(crate) struct Function {
    pub(super) name: String,
    pub(super) program: PathBuf,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) log: Option<Log>,
    pub(super) leash: Arc<Leash>,
    /// Processes that have been started and not reaped.
    pub(super) unreaped: watch::Sender<usize>,
    timeout: Duration,
    max_instances: usize,
    arrivals: Notify,
    fleet: Mutex<Fleet>,
}

impl Function {
    pub(crate) fn new(
        function: &template::Function,
        program: PathBuf,
        environment: BTreeMap<String, String>,
        max_instances: usize,
        log: Option<Log>,
        leash: Arc<Leash>,
    ) -> Self {
        Self {
            name: function.name.clone(),
            program,
            environment,
            log,
            leash,
            unreaped: watch::Sender::new(0),
            timeout: function.timeout,
            max_instances,
            arrivals: Notify::new(),
            fleet: Mutex::default(),
        }
    }

    /// Calls the function and waits for its result. A caller that stops waiting before an instance took the call takes
    /// it back; after that it runs to its end, as Lambda's do.
    pub(crate) async fn call(self: &Arc<Self>, event: Bytes) -> Outcome {
        let (invocation, outcome) = Invocation::new(event);
        {
            let mut fleet = self.fleet();
            if fleet.stopping {
                return Err(InvokeError::Stopped);
            }
            fleet.queue.push(invocation);
            self.scale(&mut fleet);
        }
        self.arrivals.notify_one();
        outcome.await.unwrap_or(Err(InvokeError::Exited))
    }

    /// The next call for an instance that polls; waits until there is one. None when the instance is not ours any more.
    pub(super) async fn next(self: &Arc<Self>, id: InstanceId) -> Option<Delivery> {
        self.fleet().polls(id);
        loop {
            let arrival = self.arrivals.notified();
            match self.take(id) {
                Poll::Given(delivery) => return Some(delivery),
                Poll::Gone => return None,
                Poll::Empty => arrival.await,
            }
        }
    }

    fn take(self: &Arc<Self>, id: InstanceId) -> Poll {
        let mut guard = self.fleet();
        let fleet = &mut *guard;
        let Some(member) = fleet.members.get_mut(&id) else {
            // The wake-up that brought us here was meant for a call: another instance must see it.
            self.arrivals.notify_one();
            return Poll::Gone;
        };
        let Some(invocation) = fleet.queue.pop() else {
            return Poll::Empty;
        };
        let (event, mut current) = invocation.take();
        let request_id = current.request_id().to_owned();
        current.set_timer(self.time(id, request_id.clone()));
        member.phase = Phase::Busy(current);
        fleet.invocations += 1;
        Poll::Given(Delivery {
            request_id,
            deadline_millis: clock::epoch_millis_after(self.timeout),
            event,
        })
    }

    fn time(self: &Arc<Self>, id: InstanceId, request_id: String) -> tokio::task::AbortHandle {
        let function = Arc::clone(self);
        let timer = async move {
            tokio::time::sleep(function.timeout).await;
            let timeout = function.timeout;
            function.kill_if(
                id,
                |phase| phase.is_on(&request_id),
                || InvokeError::TimedOut(timeout),
            );
        };
        tokio::spawn(timer).abort_handle()
    }

    /// Gives the caller of a running call its outcome. False when the instance is not working on that call.
    pub(super) fn finish(&self, id: InstanceId, request_id: &str, outcome: Outcome) -> bool {
        let current = self.fleet().finish(id, request_id);
        current.map(|current| current.end(outcome)).is_some()
    }

    /// Kills an instance that has not reached its first poll in time, or has said that it never will.
    pub(super) fn fail_init(self: &Arc<Self>, id: InstanceId, reason: &str) {
        self.kill_if(
            id,
            |phase| matches!(phase, Phase::Starting(_)),
            || InvokeError::Init(reason.to_owned()),
        );
    }

    /// Notes that an instance's process has ended and been reaped: from here on its id may be another's.
    pub(super) fn exited(self: &Arc<Self>, id: InstanceId, reason: &str) {
        let mut fleet = self.fleet();
        let Some(member) = fleet.members.get(&id) else {
            return;
        };
        let error = match member.phase {
            Phase::Starting(_) => InvokeError::Init(reason.to_owned()),
            _ => InvokeError::Exited,
        };
        self.forget(&mut fleet, id, error);
    }

    /// SIGKILL to every instance at once; returns how many there were.
    pub(crate) fn kill(self: &Arc<Self>) -> usize {
        let ids: Vec<InstanceId> = self.fleet().members.keys().copied().collect();
        ids.into_iter()
            .filter(|id| self.kill_if(*id, |_| true, || InvokeError::Exited))
            .count()
    }

    /// Refuses further calls and asks the instances to end.
    pub(crate) fn begin_stop(&self) {
        let mut fleet = self.fleet();
        fleet.stopping = true;
        fleet
            .queue
            .drain()
            .for_each(|invocation| invocation.fail(InvokeError::Stopped));
        fleet
            .members
            .values()
            .for_each(|member| signal(member.pid, Signal::SIGTERM));
    }

    /// Waits for the instances to end, and ends those that do not.
    pub(crate) async fn finish_stop(self: &Arc<Self>) {
        let mut unreaped = self.unreaped.subscribe();
        if tokio::time::timeout(GRACE, unreaped.wait_for(|count| *count == 0))
            .await
            .is_ok()
        {
            return;
        }
        let killed = self.kill();
        tracing::warn!(function = self.name, killed, "instances ignored SIGTERM");
        if tokio::time::timeout(REAPING, unreaped.wait_for(|count| *count == 0))
            .await
            .is_err()
        {
            tracing::warn!(function = self.name, "instances survived SIGKILL");
        }
    }

    /// Process ids of all instances.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.fleet()
            .members
            .values()
            .map(|member| member.pid)
            .collect()
    }

    /// How many calls instances have taken.
    pub(crate) fn invocations(&self) -> u64 {
        self.fleet().invocations
    }

    /// From process start to first poll, oldest first.
    pub(crate) fn init_durations(&self) -> Vec<Duration> {
        self.fleet().init_durations.iter().copied().collect()
    }

    /// Starts the instances that the queue asks for. A start that fails costs the oldest call, as it does in Lambda;
    /// otherwise a function that cannot start would be started for ever.
    fn scale(self: &Arc<Self>, fleet: &mut Fleet) {
        while fleet.is_short(self.max_instances) {
            let id = fleet.issue_id();
            let since = Instant::now();
            match instance::start(self, id) {
                Ok(pid) => {
                    fleet.members.insert(
                        id,
                        Member {
                            pid,
                            phase: Phase::Starting(since),
                        },
                    );
                }
                Err(error) => {
                    tracing::warn!(function = self.name, %error, "an instance was not started");
                    if let Some(invocation) = fleet.queue.pop() {
                        invocation.fail(InvokeError::Init(error.to_string()));
                    }
                }
            }
        }
    }

    /// Kills an instance whose phase is the one meant, and fails its call. It is signalled before it is forgotten, while
    /// its process id is certainly its own.
    fn kill_if(
        self: &Arc<Self>,
        id: InstanceId,
        applies: impl FnOnce(&Phase) -> bool,
        error: impl FnOnce() -> InvokeError,
    ) -> bool {
        let mut fleet = self.fleet();
        let Some(member) = fleet
            .members
            .get(&id)
            .filter(|member| applies(&member.phase))
        else {
            return false;
        };
        signal(member.pid, Signal::SIGKILL);
        self.forget(&mut fleet, id, error());
        true
    }

    /// Takes an instance out and fails its call; one that never polled fails the call that it was started for.
    fn forget(self: &Arc<Self>, fleet: &mut Fleet, id: InstanceId, error: InvokeError) {
        let Some(member) = fleet.members.remove(&id) else {
            return;
        };
        let owed: Option<Current> = match member.phase {
            Phase::Busy(current) => Some(current),
            Phase::Starting(_) => fleet.queue.pop().map(|invocation| invocation.take().1),
            Phase::Waiting | Phase::Settling => None,
        };
        if let Some(current) = owed {
            tracing::warn!(function = self.name, pid = member.pid, %error, "a call failed");
            current.end(Err(error));
        }
        self.scale(fleet);
    }

    fn fleet(&self) -> MutexGuard<'_, Fleet> {
        self.fleet.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Signals the process group of an instance. One that has ended already is not an error.
fn signal(pid: u32, signal: Signal) {
    let Ok(group) = i32::try_from(pid) else {
        return;
    };
    if let Err(error) = killpg(Pid::from_raw(group), signal) {
        tracing::debug!(pid, %error, "the instance had ended");
    }
}
