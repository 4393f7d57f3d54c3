//! The sources of template.yaml, in template/, and scripts/template, which writes it from them.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::read;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

const SCRIPT: &str = "scripts/template";

const SOURCES: [&str; 3] = [
    "template/functions.yaml",
    "template/stack.yaml",
    "template/variables.yaml",
];

/// The longest file that a person edits, in lines.
const MAX_SOURCE: usize = 900;

/// Copies the script and the sources into another tree, except those that already exist.
pub(crate) fn copy_to(root: &Path) {
    for path in SOURCES.into_iter().chain([SCRIPT]) {
        let place = root.join(path);
        if !place.exists() {
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::copy(Path::new(ROOT).join(path), place).unwrap();
        }
    }
}

/// Runs the script of a tree. Errors with what it printed.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<(), String> {
    let script = Command::new("python3")
        .arg(root.join(SCRIPT))
        .args(arguments)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&script.stderr).into_owned();
    script.status.success().then_some(()).ok_or(printed)
}

/// Returns a tree with the script and the sources, in which `from` of a source is `to`.
fn changed(path: &str, from: &str, to: &str) -> TempDir {
    let tree = tempfile::tempdir().unwrap();
    copy_to(tree.path());
    let text = read(path);
    assert!(text.contains(from), "{path} lacks {from}");
    fs::write(tree.path().join(path), text.replacen(from, to, 1)).unwrap();
    tree
}

#[test]
fn template_is_what_its_sources_say() {
    assert_eq!(run(Path::new(ROOT), &["--check"]), Ok(()));
}

#[test]
fn changed_source_makes_the_template_stale_until_it_is_written() {
    let tree = changed("template/functions.yaml", "instances: 10", "instances: 11");
    let target = tree.path().join("template.yaml");
    fs::write(&target, read("template.yaml")).unwrap();
    let refused = run(tree.path(), &["--check"]).unwrap_err();
    assert!(refused.contains("make template"), "{refused}");
    assert_eq!(fs::read_to_string(&target).unwrap(), read("template.yaml"));

    assert_eq!(run(tree.path(), &[]), Ok(()));
    assert_eq!(run(tree.path(), &["--check"]), Ok(()));
    let changed = "!If [ReservesConcurrency, 11, !Ref AWS::NoValue]";
    assert!(fs::read_to_string(&target).unwrap().contains(changed));
}

#[test]
fn mistake_in_a_source_is_named_with_its_place() {
    let functions = "template/functions.yaml";
    for (from, to, named) in [
        ("    instances:", "    instance:", "functions.yaml:"),
        ("[redis, guard]", "[redis, gard]", "gard is no variable"),
        ("  tokens:\n", "  cache:\n", "functions.yaml:"),
        ("[queue-quota]", "[queue-quotas]", "queue-quotas"),
        ("\njobs:\n", "\nhandlers:\n", "api and jobs"),
    ] {
        let refused = run(changed(functions, from, to).path(), &[]).unwrap_err();
        let is_one_line = refused.lines().count() == 1;
        assert!(is_one_line && refused.contains(named), "{to}: {refused}");
    }
}

#[test]
fn no_source_of_the_template_is_long() {
    for path in SOURCES {
        let lines = read(path).lines().count();
        assert!(lines < MAX_SOURCE, "{path}: {lines} lines");
    }
}
