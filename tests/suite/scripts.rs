//! The scripts that lock only their own keys, and those that lock the whole database. The local Redis enforces in every
//! test that the former touch no other key.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::rust_files;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Returns the scripts of a file, `{module}::{NAME}`, and whether they have the flag.
fn scripts(file: &Path) -> Vec<(String, bool)> {
    let text = fs::read_to_string(file).unwrap();
    let module = module(file);
    text.split("static ")
        .skip(1)
        .filter_map(|part| {
            let (name, rest) = part.split_once(": Script =")?;
            let definition = rest.split(";\n").next().unwrap();
            let is_locked = ["locked!(", "DIRECT_READ"]
                .iter()
                .any(|sign| definition.contains(sign));
            Some((format!("{module}::{name}"), is_locked))
        })
        .collect()
}

/// Returns the service of a file.
fn module(file: &Path) -> String {
    let services = Path::new(ROOT).join("shared/src/service");
    let path = file.strip_prefix(services).unwrap();
    let service = path
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_str()
        .unwrap();
    service.trim_end_matches(".rs").to_owned()
}

fn all() -> Vec<(String, bool)> {
    let files: Vec<PathBuf> = rust_files(&Path::new(ROOT).join("shared/src/service"));
    files.iter().flat_map(|file| scripts(file)).collect()
}

#[test]
fn page_lists_exactly_the_scripts_without_the_flag_with_bound_and_rate() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/KEYS.md")).unwrap();
    let section = page
        .split("## Scripts that learn keys from data")
        .nth(1)
        .unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut listed = BTreeSet::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), 4, "{row}");
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{row}");
        assert!(
            listed.insert(cells[0].trim_matches('`').to_owned()),
            "{row}"
        );
    }
    let all = all();
    assert!(
        all.iter().filter(|(_, is_locked)| *is_locked).count() > 15,
        "{all:?}"
    );
    let without: BTreeSet<String> = all
        .into_iter()
        .filter(|(_, is_locked)| !is_locked)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(listed, without);
}

#[test]
fn script_of_the_web_app_has_the_flag_in_its_first_line() {
    let first = shared::service::session::DIRECT_READ.lines().next();
    assert_eq!(first, Some("#!lua flags=allow-key-locking"));
}
