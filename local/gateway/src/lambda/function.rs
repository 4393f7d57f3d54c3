//! A function with its queue of calls. Instances take calls when they poll, so no call goes to a process that has just
//! ended. A call beyond the reserved concurrency is rejected at once, as on Lambda.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Notify, watch};

use super::fleet::{Fleet, InstanceId, Member, Phase};
use super::instance;
use super::invocation::{Invocation, Outcome};
use super::log::Log;
use crate::process_guard::ProcessGuard;
use crate::{InvokeError, clock, template};

/// The response to a poll.
pub(crate) struct Delivery {
    /// The call's id.
    pub(crate) request_id: String,
    /// Its deadline, in milliseconds since the epoch.
    pub(crate) deadline_millis: i64,
    /// The event.
    pub(crate) event: Bytes,
}

/// The result of a poll.
enum Poll {
    /// A call.
    Given(Delivery),
    /// No call at present.
    Empty,
    /// The instance has been removed.
    Gone,
}

/// One function of the template.
pub(crate) struct Function {
    pub(super) name: String,
    pub(super) program: PathBuf,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) log: Option<Log>,
    pub(super) process_guard: Arc<ProcessGuard>,
    /// Processes that were started and not reaped.
    pub(super) unreaped: watch::Sender<usize>,
    timeout: Duration,
    reserved: Option<usize>,
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
        process_guard: Arc<ProcessGuard>,
    ) -> Self {
        Self {
            name: function.name.clone(),
            program,
            environment,
            log,
            process_guard,
            unreaped: watch::Sender::new(0),
            timeout: function.timeout,
            reserved: function.reserved,
            max_instances,
            arrivals: Notify::new(),
            fleet: Mutex::default(),
        }
    }

    /// Calls the function and waits for its result. A caller that stops waiting withdraws a call that no instance has
    /// taken. A taken call runs to its end, as on Lambda.
    pub(crate) async fn call(self: &Arc<Self>, event: Bytes) -> Outcome {
        let (invocation, outcome) = Invocation::new(event);
        {
            let mut fleet = self.fleet();
            if fleet.stopping {
                return Err(InvokeError::Stopped);
            }
            if let Some(reserved) = self.reserved
                && fleet.in_flight() >= reserved
            {
                fleet.throttles += 1;
                tracing::warn!(
                    function = self.name,
                    reserved,
                    "invocation throttled: reserved concurrency in use"
                );
                return Err(InvokeError::Throttled(reserved));
            }
            fleet.queue.push(invocation);
            self.scale(&mut fleet);
        }
        self.arrivals.notify_one();
        outcome.await.unwrap_or(Err(InvokeError::Exited))
    }

    /// Returns the next call for an instance that polls, and waits for one. Returns none if the instance has been
    /// removed.
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
            // This wake-up was for a call: another instance must receive it.
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

    /// Sends a running call's outcome to its caller. Returns false if the instance is not running that call.
    pub(super) fn finish(&self, id: InstanceId, request_id: &str, outcome: Outcome) -> bool {
        let current = self.fleet().finish(id, request_id);
        current.map(|current| current.end(outcome)).is_some()
    }

    /// Returns the process ids of all instances.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.fleet()
            .members
            .values()
            .map(|member| member.pid)
            .collect()
    }

    /// Returns the number of calls that instances have taken.
    pub(crate) fn invocations(&self) -> u64 {
        self.fleet().invocations
    }

    /// Returns the time that the latest answered call took, from the event to the answer.
    pub(crate) fn last_duration(&self) -> Option<Duration> {
        self.fleet().last_duration
    }

    /// Returns the number of calls that were rejected because the reserved concurrency was in use.
    pub(crate) fn throttles(&self) -> u64 {
        self.fleet().throttles
    }

    /// Returns the times from process start to first poll, oldest first.
    pub(crate) fn init_durations(&self) -> Vec<Duration> {
        self.fleet().init_durations.iter().copied().collect()
    }

    /// Starts the instances that the queue needs. A failed start fails the oldest call, as on Lambda. Otherwise a
    /// function that cannot start would be started forever.
    pub(super) fn scale(self: &Arc<Self>, fleet: &mut Fleet) {
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
                    tracing::warn!(
                        function = self.name,
                        %error,
                        "instance not started; its invocation fails"
                    );
                    if let Some(invocation) = fleet.queue.pop() {
                        invocation.fail(InvokeError::Init(error.to_string()));
                    }
                }
            }
        }
    }

    pub(super) fn fleet(&self) -> MutexGuard<'_, Fleet> {
        self.fleet.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
