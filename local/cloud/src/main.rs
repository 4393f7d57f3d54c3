//! `local`: the local cloud's command line.

use std::process::ExitCode;

use clap::Parser;
use local::command::Command;

#[tokio::main]
async fn main() -> ExitCode {
    match Command::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local: {}", error.explained());
            ExitCode::FAILURE
        }
    }
}
