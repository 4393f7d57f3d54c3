//! The command line.

mod demo;
mod env;
mod event;
mod schedules;
mod up;

use std::io;
use std::path::PathBuf;

use clap::Parser;
use shared::base::causes::causes;

use crate::{cloud, demo as demonstration, event as samples};

/// The local cloud: everything that the SignTusk functions talk to, on this machine and with no account.
#[derive(Debug, Parser)]
#[command(name = "local", version, about, propagate_version = true)]
pub enum Command {
    /// Bring everything up and stay until Ctrl-C
    Up(up::Up),
    /// Run the product's main job on real input, show what came of it, and stay up
    Demo(demo::Demo),
    /// Print the variables that point any client at the local cloud
    Env(env::Env),
    /// Print a sample event, its tokens filled in and signed for the running cloud: for `sam local invoke` and
    /// `cargo lambda invoke`
    Event(event::Event),
}

/// Why a command ended with a failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cloud did not come up.
    #[error(transparent)]
    Cloud(#[from] cloud::Error),
    /// There is nothing to print.
    #[error("{} is not there: start the local cloud first (local up)", .0.display())]
    NoEnvFile(PathBuf),
    /// The file of an event holds something else.
    #[error("{} is not JSON", .0.display())]
    NoJson(PathBuf),
    /// The event cannot be made ready.
    #[error(transparent)]
    Event(#[from] samples::Error),
    /// The demo could not run to its end.
    #[error("the demo did not complete")]
    Demo(#[from] demonstration::Error),
    /// The demo ran, and not everything was as it should be.
    #[error("the demo failed: see the table, and the logs under the data folder")]
    Unhealthy,
    /// The terminal, a log or a signal could not be used.
    #[error("a system call failed")]
    System(#[from] io::Error),
}

impl Command {
    /// Does what the command line says.
    pub async fn run(self) -> Result<(), Error> {
        match self {
            Self::Up(up) => up.run().await,
            Self::Demo(demo) => demo.run().await,
            Self::Env(env) => env.run(),
            Self::Event(event) => event.run(),
        }
    }
}

impl Error {
    /// The error with its causes, in one line.
    #[must_use]
    pub fn explained(&self) -> String {
        causes(self)
    }
}
