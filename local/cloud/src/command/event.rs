//! `local event`: prints a sample event, ready for the running cloud.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;
use shared::base::clock::Clock;

use super::Error;
use super::env::read;
use crate::event::ready;

/// Options of `local event`.
#[derive(Args, Debug)]
pub struct Event {
    /// The file of the event, in API Gateway's payload format 2.0
    file: PathBuf,
    /// The folder of the local cloud's data
    #[arg(long, value_name = "FOLDER", default_value = ".local")]
    data: PathBuf,
}

impl Event {
    pub(super) fn run(&self) -> Result<(), Error> {
        let event: Value = serde_json::from_slice(&std::fs::read(&self.file)?)
            .map_err(|_| Error::NoJson(self.file.clone()))?;
        let variables = crate::cloud::env_file_variables(&read(&self.data)?);
        println!("{:#}", ready(event, &variables, Clock::system().now())?);
        Ok(())
    }
}
