//! Child programs that never outlive this process, not even after a SIGKILL.

mod log;
pub mod port;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, ChildStdin, Command};
use tokio::time::Instant;

/// The script that guards the program; see the file.
const GUARD_SCRIPT: &str = include_str!("guard.sh");

/// The interval of the probes of a starting program.
const PROBE_INTERVAL: Duration = Duration::from_millis(20);

/// The longest stop: the guard itself sends SIGKILL after 8 seconds.
const STOP_LIMIT: Duration = Duration::from_secs(12);

/// Why a program does not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be started.
    #[error("cannot start {name}")]
    Start {
        /// The program.
        name: &'static str,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// It ended before it answered.
    #[error("{name} ended with {status}; the end of {}:\n{tail}", log.display())]
    Ended {
        /// The program.
        name: &'static str,
        /// Its exit status.
        status: ExitStatus,
        /// The file with its output.
        log: PathBuf,
        /// The end of its output.
        tail: String,
    },
    /// It runs but does not answer.
    #[error("{name} did not answer within {} s; see {}", within.as_secs(), log.display())]
    Silent {
        /// The program.
        name: &'static str,
        /// The wait.
        within: Duration,
        /// The file with its output.
        log: PathBuf,
    },
}

/// The user and group of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// The user's id.
    pub uid: u32,
    /// The id of the user's own group.
    pub gid: u32,
}

/// A program and how to run it.
#[derive(Clone, Debug)]
pub struct Program {
    /// The name in messages.
    pub name: &'static str,
    /// The file.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Its working folder.
    pub folder: PathBuf,
    /// Its user; `None`: the current user.
    pub user: Option<User>,
    /// The file that its output is appended to.
    pub log: PathBuf,
    /// The name of the signal that stops it, without `SIG`.
    pub stop_signal: &'static str,
}

/// A guarded program. Dropping it asks the program to end, and kills it if it does not.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    log: PathBuf,
    guard: Child,
    hold: Option<ChildStdin>,
}

impl Process {
    /// Starts the program in its own process group, so that a terminal's Ctrl-C reaches only this process. If an
    /// earlier program with the same log is still ending, waits for it: both may write to the same data.
    pub async fn start(program: &Program) -> Result<Self, Error> {
        let failed = |source| Error::Start {
            name: program.name,
            source,
        };
        let output = log::take(&program.log).await.map_err(failed)?;
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", GUARD_SCRIPT, "guard", program.stop_signal])
            .arg(&program.path)
            .args(&program.arguments)
            .current_dir(&program.folder)
            .stdin(Stdio::piped())
            .stdout(output.try_clone().map_err(failed)?)
            .stderr(output)
            .process_group(0);
        if let Some(user) = program.user {
            command.uid(user.uid).gid(user.gid);
        }
        let mut guard = command.spawn().map_err(failed)?;
        Ok(Self {
            name: program.name,
            log: program.log.clone(),
            hold: guard.stdin.take(),
            guard,
        })
    }

    /// Waits until `probe` reports that the program answers.
    pub async fn answers(
        &mut self,
        within: Duration,
        probe: impl AsyncFn() -> bool,
    ) -> Result<(), Error> {
        let deadline = Instant::now() + within;
        loop {
            let status = self.guard.try_wait().map_err(|source| Error::Start {
                name: self.name,
                source,
            })?;
            if let Some(status) = status {
                return Err(self.ended(status));
            }
            if probe().await {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(Error::Silent {
                    name: self.name,
                    within,
                    log: self.log.clone(),
                });
            }
            tokio::time::sleep(PROBE_INTERVAL).await;
        }
    }

    /// Waits until the program ends successfully.
    pub async fn finish(mut self) -> Result<(), Error> {
        let status = self.guard.wait().await.map_err(|source| Error::Start {
            name: self.name,
            source,
        })?;
        if status.success() {
            Ok(())
        } else {
            Err(self.ended(status))
        }
    }

    /// Asks the program to end and waits until it has ended.
    pub async fn stop(mut self) {
        drop(self.hold.take());
        match tokio::time::timeout(STOP_LIMIT, self.guard.wait()).await {
            Ok(Ok(status)) => tracing::debug!(name = self.name, %status, "program ended"),
            Ok(Err(error)) => {
                tracing::warn!(
                    name = self.name,
                    %error,
                    "program not waited for; its end is unknown"
                );
            }
            Err(_) => tracing::warn!(
                name = self.name,
                "program still running after the stop signal"
            ),
        }
    }

    fn ended(&self, status: ExitStatus) -> Error {
        Error::Ended {
            name: self.name,
            status,
            log: self.log.clone(),
            tail: log::tail(&self.log),
        }
    }
}

/// Returns the first `name` on the `PATH` that is a file.
#[must_use]
pub fn on_path(name: &str) -> Option<PathBuf> {
    const USUAL: &str =
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin";
    let path = shared::base::env::optional("PATH").unwrap_or_else(|| USUAL.to_owned());
    path.split(':')
        .map(|folder| Path::new(folder).join(name))
        .find(|file| file.is_file())
}
