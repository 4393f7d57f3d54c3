//! One instance: the process of a function's binary with its own Runtime API, so that the polled port identifies it.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use super::fleet::InstanceId;
use super::function::Function;
use super::runtime_api;
use crate::limit;
use crate::listening::Listening;

/// Starts the process and returns its id. A separate task waits for its end.
pub(super) fn start(function: &Arc<Function>, id: InstanceId) -> io::Result<u32> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    let api = runtime_api::serve(TcpListener::from_std(listener)?, Arc::clone(function), id)?;
    let mut child = spawn(function, &api)?;
    let pid = child
        .id()
        .ok_or_else(|| io::Error::other("the process ended at once"))?;
    function.process_guard.hold(pid);
    if let Some(log) = &function.log {
        log.follow(child.stdout.take());
        log.follow(child.stderr.take());
    }
    function.unreaped.send_modify(|count| *count += 1);
    tokio::spawn(keep(Arc::clone(function), id, pid, child, api));
    Ok(pid)
}

fn spawn(function: &Function, api: &Listening) -> io::Result<Child> {
    let output = || {
        if function.log.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        }
    };
    Command::new(&function.program)
        .env_clear()
        .envs(&function.environment)
        .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string())
        .stdin(Stdio::null())
        .stdout(output())
        .stderr(output())
        // Its own process group, so that Ctrl-C in a terminal reaches only the gateway, which then stops in order.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// Waits for the process to end, by itself or because its init took too long.
async fn keep(function: Arc<Function>, id: InstanceId, pid: u32, mut child: Child, api: Listening) {
    let ended = if let Ok(ended) = tokio::time::timeout(limit::INIT, child.wait()).await {
        ended
    } else {
        function.fail_init(id, &format!("it did not poll within {:?}", limit::INIT));
        child.wait().await
    };
    function.process_guard.release(pid);
    function.exited(id, &describe(&ended));
    drop(api);
    function
        .unreaped
        .send_modify(|count| *count = count.saturating_sub(1));
}

fn describe(ended: &io::Result<ExitStatus>) -> String {
    match ended {
        Ok(status) => format!("the process ended before its first poll ({status})"),
        Err(error) => format!("the process was lost: {error}"),
    }
}
