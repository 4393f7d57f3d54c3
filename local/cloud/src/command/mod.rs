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

/// The local cloud: all services that the SignTusk functions use, on this machine and without an account.
#[derive(Debug, Parser)]
#[command(name = "local", version, about, propagate_version = true)]
pub enum Command {
    /// Start everything and run until Ctrl-C
    Up(up::Up),
    /// Run the product's main job on real input, show its result, and keep running
    Demo(demo::Demo),
    /// Print the variables that connect a client to the local cloud
    Env(env::Env),
    /// Print a sample event, its tokens filled in and signed for the running cloud: for `sam local invoke` and `cargo
    /// lambda invoke`
    Event(event::Event),
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cloud did not start.
    #[error(transparent)]
    Cloud(#[from] cloud::Error),
    /// The variables' file does not exist.
    #[error("{} is not there: start the local cloud first (local up)", .0.display())]
    NoEnvFile(PathBuf),
    /// The event's file is not JSON.
    #[error("{} is not JSON", .0.display())]
    NoJson(PathBuf),
    /// The event cannot be prepared.
    #[error(transparent)]
    Event(#[from] samples::Error),
    /// The demo did not complete.
    #[error("the demo did not complete")]
    Demo(#[from] demonstration::Error),
    /// The demo completed with failures.
    #[error("the demo failed: see the table, and the logs under the data folder")]
    Unhealthy,
    /// The terminal, a log or a signal could not be used.
    #[error("a system call failed")]
    System(#[from] io::Error),
}

impl Command {
    /// Runs the command.
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
    /// Returns the error with its causes, in one line.
    #[must_use]
    pub fn explained(&self) -> String {
        causes(self)
    }
}
