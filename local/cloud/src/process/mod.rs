//! Programs that run beside us and never outlive us, not even a SIGKILL.

mod log;
pub mod port;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, ChildStdin, Command};
use tokio::time::Instant;

/// Holds the program on its leash; see the file.
const GUARD_SCRIPT: &str = include_str!("guard.sh");

/// How often a program that is coming up is asked whether it is there.
const PROBE_INTERVAL: Duration = Duration::from_millis(20);

/// How long a stop may take: the leash itself sends SIGKILL after 8 seconds.
const STOP_LIMIT: Duration = Duration::from_secs(12);

/// Why a program does not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be started at all.
    #[error("cannot start {name}")]
    Start {
        /// The program.
        name: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It ended while it was waited for.
    #[error("{name} ended with {status}; the end of {}:\n{tail}", log.display())]
    Ended {
        /// The program.
        name: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// The file with all that it said.
        log: PathBuf,
        /// The last of it.
        tail: String,
    },
    /// It runs and does not answer.
    #[error("{name} did not answer within {} s; see {}", within.as_secs(), log.display())]
    Silent {
        /// The program.
        name: &'static str,
        /// How long it was waited for.
        within: Duration,
        /// The file with all that it said.
        log: PathBuf,
    },
}

/// The user and group that a program runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// The user's id.
    pub uid: u32,
    /// The id of the user's own group.
    pub gid: u32,
}

/// What to run and how.
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
    /// Who it runs as; `None`: as we do.
    pub user: Option<User>,
    /// The file that its output is appended to.
    pub log: PathBuf,
    /// The name of the signal that asks it to end, without `SIG`.
    pub stop_signal: &'static str,
}

/// A program on its leash. Dropping it asks the program to end, and kills it when it does not.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    log: PathBuf,
    guard: Child,
    hold: Option<ChildStdin>,
}

impl Process {
    /// Starts the program, in a process group of its own so that a terminal's Ctrl-C reaches only us. Where an earlier
    /// one with the same log is still ending, it is waited for: it may write to the same data.
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

    /// Waits until `probe` says that the program answers.
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

    /// Waits until the program ends by itself, which must be a success.
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

    /// Asks the program to end and waits until it has.
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

/// The first `name` on the `PATH` that is a file.
#[must_use]
pub fn on_path(name: &str) -> Option<PathBuf> {
    const USUAL: &str =
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin";
    let path = shared::base::env::optional("PATH").unwrap_or_else(|| USUAL.to_owned());
    path.split(':')
        .map(|folder| Path::new(folder).join(name))
        .find(|file| file.is_file())
}
