//! Ends instances and settles their unanswered calls.

use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::fleet::{Fleet, InstanceId, Phase};
use super::function::Function;
use super::invocation::Current;
use crate::InvokeError;

/// The time for instances to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(1);
/// The time for the kernel to end them after SIGKILL.
const REAPING: Duration = Duration::from_secs(5);

impl Function {
    /// Kills an instance that did not reach its first poll in time or reported an init error.
    pub(super) fn fail_init(self: &Arc<Self>, id: InstanceId, reason: &str) {
        self.kill_if(
            id,
            |phase| matches!(phase, Phase::Starting(_)),
            || InvokeError::Init(reason.to_owned()),
        );
    }

    /// Records that an instance's process has ended and been reaped. From here on, another process may have its id.
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

    /// Sends SIGKILL to every instance; returns how many there were.
    pub(crate) fn kill(self: &Arc<Self>) -> usize {
        let ids: Vec<InstanceId> = self.fleet().members.keys().copied().collect();
        ids.into_iter()
            .filter(|id| self.kill_if(*id, |_| true, || InvokeError::Exited))
            .count()
    }

    /// Rejects further calls and asks the instances to end.
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

    /// Waits for the instances to end, and kills those that do not.
    pub(crate) async fn finish_stop(self: &Arc<Self>) {
        let mut unreaped = self.unreaped.subscribe();
        if tokio::time::timeout(GRACE, unreaped.wait_for(|count| *count == 0))
            .await
            .is_ok()
        {
            return;
        }
        let killed = self.kill();
        tracing::warn!(
            function = self.name,
            killed,
            "instances ignored SIGTERM; killed"
        );
        if tokio::time::timeout(REAPING, unreaped.wait_for(|count| *count == 0))
            .await
            .is_err()
        {
            tracing::warn!(
                function = self.name,
                "instances still alive after SIGKILL; left behind"
            );
        }
    }

    /// Kills an instance in the expected phase and fails its call. The signal is sent before the instance is removed,
    /// while the process id is certainly its own. Only between its reaping and [`Function::exited`] could another
    /// process have the id. For that, the system would have to use up all ids in that moment.
    pub(super) fn kill_if(
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

    /// Removes an instance and fails its call. An instance that never polled fails the call that it was started for.
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
            tracing::warn!(
                function = self.name,
                pid = member.pid,
                %error,
                "invocation failed; its instance is gone"
            );
            current.end(Err(error));
        }
        self.scale(fleet);
    }
}

/// Signals the process group of an instance. An instance that has already ended is not an error.
fn signal(pid: u32, signal: Signal) {
    let Ok(group) = i32::try_from(pid) else {
        return;
    };
    if let Err(error) = killpg(Pid::from_raw(group), signal) {
        tracing::debug!(pid, %error, "signal not sent; the instance had ended");
    }
}
