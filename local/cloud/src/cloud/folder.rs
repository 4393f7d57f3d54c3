//! The folder of the cloud's data, used by one cloud at a time.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::Error;

/// The folder, locked while this value lives. The lock ends with the process, however it ends.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    lock: File,
}

impl Folder {
    /// Creates the folder if it is missing, and locks it.
    pub(super) fn take(path: &Path) -> Result<Self, Error> {
        let path = std::path::absolute(path).map_err(|error| Error::write(path, error))?;
        let logs = path.join("log");
        std::fs::create_dir_all(&logs).map_err(|error| Error::write(&logs, error))?;
        let lock_path = path.join("lock");
        let failed = |error| Error::write(&lock_path, error);
        let lock = File::create(&lock_path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, lock }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse(path)),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.path.join("log").join(name)
    }
}

/// Unlocks explicitly. Closing the file is not enough: a program that is just being started still shares the open file
/// until it has replaced its image.
impl Drop for Folder {
    fn drop(&mut self) {
        // A lock that cannot be released ends with the process.
        let _ = self.lock.unlock();
    }
}
