//! A scratch copy of the sources. Files that are not copied are read from the original.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::template::sources;

pub(super) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Folders of build output and downloads, which are not sources.
const NO_SOURCES: [&str; 6] = [
    "target",
    ".git",
    ".local",
    ".aws-sam",
    "node_modules",
    "__pycache__",
];

/// The copy. Its folder is deleted when the test ends.
pub(super) struct Tree(TempDir);

impl Tree {
    /// Creates an empty copy.
    pub(super) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Creates a full copy.
    pub(super) fn whole() -> Self {
        let tree = Self::empty();
        copy(Path::new(ROOT), tree.root());
        tree
    }

    pub(super) fn root(&self) -> &Path {
        self.0.path()
    }

    /// Returns a file's text.
    pub(super) fn read(&self, path: &str) -> String {
        let copied = self.root().join(path);
        let original = Path::new(ROOT).join(path);
        let place = if copied.exists() { copied } else { original };
        fs::read_to_string(&place).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Writes a file of the copy.
    pub(super) fn write(&self, path: &str, text: &str) {
        let place = self.root().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }

    /// Writes template.yaml from its sources, as `make template` does.
    pub(super) fn write_template(&self) {
        sources::copy_to(self.root());
        sources::run(self.root(), &[]).unwrap();
    }

    /// Returns whether a file or folder exists.
    pub(super) fn has(&self, path: &str) -> bool {
        self.root().join(path).exists() || Path::new(ROOT).join(path).exists()
    }

    /// Returns the names of the folders in a folder.
    pub(super) fn folders(&self, path: &str) -> BTreeSet<String> {
        let places = [self.root().join(path), Path::new(ROOT).join(path)];
        let there = places.iter().filter(|place| place.exists());
        there
            .flat_map(|place| fs::read_dir(place).unwrap())
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    /// Returns the paths of the copy's files with this extension.
    pub(super) fn changed(&self, extension: &str) -> Vec<String> {
        let mut files = Vec::new();
        collect(self.root(), extension, &mut files);
        let paths = files.iter().map(|file| {
            let path = Path::new(file).strip_prefix(self.root()).unwrap();
            path.to_str().unwrap().to_owned()
        });
        paths.collect()
    }
}

fn collect(folder: &Path, extension: &str, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, extension, files);
        } else if path.extension().is_some_and(|it| it == extension) {
            files.push(path.to_str().unwrap().to_owned());
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let place = to.join(name);
        if NO_SOURCES.contains(&name) {
            continue;
        }
        if path.is_dir() {
            copy(&path, &place);
        } else {
            fs::copy(&path, &place).unwrap();
        }
    }
}
