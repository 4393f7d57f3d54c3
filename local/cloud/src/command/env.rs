//! `local env`: the variables that point any client at the local cloud.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::Error;
use crate::cloud::env_file;

/// Options of `local env`.
#[derive(Args, Debug)]
pub struct Env {
    /// The folder of the local cloud's data
    #[arg(long, value_name = "FOLDER", default_value = ".local")]
    data: PathBuf,
}

impl Env {
    pub(super) fn run(&self) -> Result<(), Error> {
        let file = env_file(&self.data);
        let variables = match std::fs::read(&file) {
            Ok(variables) => variables,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::NoEnvFile(file));
            }
            Err(error) => return Err(error.into()),
        };
        Ok(io::stdout().write_all(&variables)?)
    }
}
