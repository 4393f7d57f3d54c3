//! The support of the tests: a cloud for each, a signer, a proxy that fails on demand, and moto.

pub(crate) mod cloud;
pub(crate) mod cluster;
pub(crate) mod event;
pub(crate) mod ledger;
pub(crate) mod memory;
pub(crate) mod moto;
pub(crate) mod payloads;
pub(crate) mod proxy;
pub(crate) mod signer;
pub(crate) mod store;
pub(crate) mod waiting;

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use cloud::TestCloud;

/// Returns the number of seeds of a randomised test: few in CI, `CAMPAIGN_SEEDS` in a campaign.
pub(crate) fn seeds(few: u64) -> u64 {
    shared::base::env::parsed_or("CAMPAIGN_SEEDS", few).unwrap()
}

/// Returns the Rust files under a folder.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
