//! Finds the PostgreSQL binaries.

use std::path::{Path, PathBuf};

use super::Error;
use crate::process::on_path;

/// The folders in which distributions have one folder per major version.
const VERSIONED: &[&str] = &["/usr/lib/postgresql", "/usr/local/lib/postgresql"];

/// The folder with `initdb` and `postgres`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Binaries(PathBuf);

impl Binaries {
    /// Returns the newest installed version. If data exist, returns the version that created them.
    pub(super) fn for_data(data: &Path) -> Result<Self, Error> {
        let installed = installed();
        let Ok(version) = std::fs::read_to_string(data.join("PG_VERSION")) else {
            return installed
                .into_iter()
                .next_back()
                .map(|(_, found)| found)
                .ok_or(Error::Missing);
        };
        let version = version.trim();
        installed
            .into_iter()
            .find(|(major, _)| major.is_none_or(|major| major.to_string() == version))
            .map(|(_, found)| found)
            .ok_or_else(|| Error::Version {
                data: data.to_owned(),
                version: version.to_owned(),
            })
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.0.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.0.join("postgres")
    }
}

/// Returns the installed versions, oldest first. Binaries found only on the `PATH` have no known version and come last
/// in choice.
fn installed() -> Vec<(Option<u32>, Binaries)> {
    let mut found: Vec<(Option<u32>, Binaries)> = VERSIONED
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let major: u32 = entry.file_name().to_str()?.parse().ok()?;
            whole(entry.path().join("bin")).map(|binaries| (Some(major), binaries))
        })
        .collect();
    found.sort_by_key(|(major, _)| *major);
    if found.is_empty() {
        let beside = on_path("initdb").and_then(|file| whole(file.parent()?.to_owned()));
        found.extend(beside.map(|binaries| (None, binaries)));
    }
    found
}

fn whole(folder: PathBuf) -> Option<Binaries> {
    let binaries = Binaries(folder);
    (binaries.initdb().is_file() && binaries.postgres().is_file()).then_some(binaries)
}
