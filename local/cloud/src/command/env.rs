//! `local env`: prints the variables that connect a client to the local cloud.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

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
        Ok(io::stdout().write_all(read(&self.data)?.as_bytes())?)
    }
}

/// Returns the dotenv file of the cloud with this data folder.
pub(super) fn read(data: &Path) -> Result<String, Error> {
    let file = env_file(data);
    match std::fs::read_to_string(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::NoEnvFile(file)),
        read => Ok(read?),
    }
}
