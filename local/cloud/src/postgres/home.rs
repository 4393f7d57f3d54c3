//! The folder and user of a cluster. PostgreSQL does not run as root, and its user must have access to the folder.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User as SystemUser};

use super::Error;
use crate::process::User;

/// The home of the system user `postgres`, for clusters in folders without access.
const USERS_OWN: &str = "/var/lib/postgresql";

/// The folder that contains a cluster.
#[derive(Debug)]
pub(super) struct Home {
    /// The requested folder.
    wanted: PathBuf,
    /// That folder, or its substitute.
    folder: PathBuf,
    user: Option<User>,
}

impl Home {
    /// Creates `folder` or a substitute, owned by the user of the cluster.
    pub(super) fn prepare(folder: &Path) -> Result<Self, Error> {
        let user = user()?;
        let failed = |source| Error::Folder {
            folder: folder.to_owned(),
            source,
        };
        let wanted = std::path::absolute(folder).map_err(failed)?;
        std::fs::create_dir_all(&wanted).map_err(failed)?;
        let home = match user {
            Some(user) if !reachable(&wanted, user) => stand_in(&wanted).map_err(failed)?,
            _ => wanted.clone(),
        };
        let home = Self {
            wanted,
            folder: home,
            user,
        };
        home.take().map_err(failed)?;
        Ok(home)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn user(&self) -> Option<User> {
        self.user
    }

    /// Returns the cluster's folder.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(super) fn is_made(&self) -> bool {
        self.data().join("PG_VERSION").is_file()
    }

    /// Returns the folder in which a cluster is created, without the remains of an interrupted attempt.
    pub(super) fn fresh(&self) -> Result<PathBuf, Error> {
        let fresh = self.folder.join("data.new");
        match std::fs::remove_dir_all(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed(error)),
            _ => Ok(fresh),
        }
    }

    /// Moves a created cluster to its final folder.
    pub(super) fn settle(&self) -> Result<(), Error> {
        std::fs::rename(self.folder.join("data.new"), self.data())
            .map_err(|error| self.failed(error))
    }

    /// Writes a file that only the cluster's user can read.
    pub(super) fn write(&self, name: &str, content: &str) -> Result<PathBuf, Error> {
        let path = self.folder.join(name);
        let written = std::fs::write(&path, content)
            .and_then(|()| std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)))
            .and_then(|()| self.give(&path));
        written.map_err(|error| self.failed(error))?;
        Ok(path)
    }

    /// Removes everything, as far as possible.
    pub(super) fn remove(&self) {
        for folder in [&self.folder, &self.wanted] {
            match std::fs::remove_dir_all(folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(
                        %error,
                        folder = %folder.display(),
                        "folder of a PostgreSQL cluster not removed"
                    );
                }
                _ => {}
            }
        }
    }

    fn take(&self) -> io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        std::fs::set_permissions(&self.folder, PermissionsExt::from_mode(0o700))?;
        self.give(&self.folder)
    }

    fn give(&self, path: &Path) -> io::Result<()> {
        match self.user {
            Some(user) => chown(path, Some(user.uid), Some(user.gid)),
            None => Ok(()),
        }
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Folder {
            folder: self.folder.clone(),
            source,
        }
    }
}

/// Returns the cluster's user: the system user `postgres` for root, else none.
fn user() -> Result<Option<User>, Error> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    match SystemUser::from_name("postgres") {
        Ok(Some(found)) => Ok(Some(User {
            uid: found.uid.as_raw(),
            gid: found.gid.as_raw(),
        })),
        _ => Err(Error::NoUser),
    }
}

/// Returns whether `user` can enter every folder above `folder`. The cloud can open the direct parent itself: it is the
/// data folder, and a temporary folder is open to root only.
fn reachable(folder: &Path, user: User) -> bool {
    let passable = |folder: &Path| {
        std::fs::metadata(folder).is_ok_and(|about| {
            let mode = about.mode();
            mode & 0o001 != 0 || (about.uid() == user.uid && mode & 0o100 != 0)
        })
    };
    let open = |folder: &Path| {
        std::fs::metadata(folder)
            .and_then(|about| {
                let opened = about.mode() | 0o011;
                std::fs::set_permissions(folder, PermissionsExt::from_mode(opened))
            })
            .is_ok()
    };
    let mut above = folder.ancestors().skip(1);
    let parent = above.next();
    above.all(passable) && parent.is_none_or(|parent| passable(parent) || open(parent))
}

/// Returns a folder at the user's own home, named after the folder that it replaces. A file in it names that folder. If
/// that folder has been deleted, the substitute is deleted too: its passwords were in that folder.
fn stand_in(folder: &Path) -> io::Result<PathBuf> {
    let name = folder.to_string_lossy().replace('/', "-");
    let base = match Path::new(USERS_OWN) {
        base if base.is_dir() => base.to_owned(),
        _ => std::env::temp_dir(),
    };
    let home = base.join(format!("signtusk{name}"));
    let sign = folder.join("stand-in");
    if !sign.is_file() {
        match std::fs::remove_dir_all(&home) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => std::fs::write(&sign, home.as_os_str().as_encoded_bytes())?,
        }
    }
    Ok(home)
}
