//! The cloud's own secrets: random, made once, kept in a file that only its owner can read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::Error;
use super::private_file;

/// The secrets by name.
pub(super) struct Secrets {
    path: PathBuf,
    named: BTreeMap<String, String>,
}

impl Secrets {
    /// Reads what is kept under `data`. A file that is no longer readable as secrets is an error, not a reason for new
    /// ones: the database knows the old.
    pub(super) fn open(data: &Path) -> Result<Self, Error> {
        let path = data.join("secrets.json");
        let named = match std::fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| Error::keep(&path, error.into()))?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(Error::keep(&path, error)),
        };
        Ok(Self { path, named })
    }

    /// The secret of this name, made when it is asked for the first time: 64 letters and digits.
    pub(super) fn get(&mut self, name: &str) -> String {
        let fresh = || format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        self.named
            .entry(name.to_owned())
            .or_insert_with(fresh)
            .clone()
    }

    /// Writes what was made.
    pub(super) fn save(&self) -> Result<(), Error> {
        let failed = |error| Error::keep(&self.path, error);
        let bytes = serde_json::to_vec_pretty(&self.named).map_err(|error| failed(error.into()))?;
        private_file::write(&self.path, &bytes).map_err(failed)
    }
}
