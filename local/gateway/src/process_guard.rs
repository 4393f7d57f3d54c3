//! What ends the instances when the gateway itself is killed: a shell that knows their process ids and kills them once
//! its standard input closes, which the kernel does for us however the gateway ended. (An idle Lambda runtime ends by
//! itself when its Runtime API is gone, but one in the middle of a call would not.)

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::Error;

/// Lines `+ <pid>` and `- <pid>` add and remove a process group.
const SCRIPT: &str = r#"
live=' '
while read -r sign pid; do
  case $sign in
    +) live="$live$pid " ;;
    -) live="${live%% $pid *} ${live#* $pid }" ;;
  esac
done
for pid in $live; do kill -9 "-$pid" 2>/dev/null; done
exit 0
"#;

/// The guarding shell. Dropping it kills what is still held.
#[derive(Debug)]
pub(crate) struct ProcessGuard {
    shell: Child,
    input: Mutex<Option<ChildStdin>>,
}

impl ProcessGuard {
    /// Starts the shell, in a process group of its own so that a terminal's Ctrl-C does not end it first.
    pub(crate) fn new() -> Result<Self, Error> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(Error::ProcessGuard)?;
        let input = Mutex::new(shell.stdin.take());
        Ok(Self { shell, input })
    }

    /// Holds the process group that `pid` leads.
    pub(crate) fn hold(&self, pid: u32) {
        self.tell('+', pid);
    }

    /// Lets go of a process that has been reaped.
    pub(crate) fn release(&self, pid: u32) {
        self.tell('-', pid);
    }

    fn tell(&self, sign: char, pid: u32) {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(input) = input.as_mut()
            && let Err(error) = writeln!(input, "{sign} {pid}")
        {
            tracing::warn!(%error, pid, "guarding shell gone; it no longer guards the instances");
        }
    }
}

impl Drop for ProcessGuard {
    fn drop(&mut self) {
        self.input
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Err(error) = self.shell.wait() {
            tracing::debug!(%error, "guarding shell not waited for");
        }
    }
}
