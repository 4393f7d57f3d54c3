//! Ends the instances if the gateway itself is killed. A shell knows their process ids and kills them once its standard
//! input closes, which the kernel does however the gateway ends. (An idle Lambda runtime ends by itself without its
//! Runtime API, but a busy one does not.)

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

/// The guarding shell. Dropping it kills all guarded processes.
#[derive(Debug)]
pub(crate) struct ProcessGuard {
    shell: Child,
    input: Mutex<Option<ChildStdin>>,
}

impl ProcessGuard {
    /// Starts the shell in its own process group, so that a terminal's Ctrl-C does not end it first.
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

    /// Guards the process group of `pid`.
    pub(crate) fn hold(&self, pid: u32) {
        self.tell('+', pid);
    }

    /// Releases a process that has been reaped.
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
