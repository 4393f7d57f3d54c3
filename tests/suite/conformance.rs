//! The pages that name tests, compared with the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Collects every function name below a folder of sources.
fn functions(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, names);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let after = text.split("fn ").skip(1);
            names.extend(after.filter_map(|rest| rest.split('(').next().map(str::to_owned)));
        }
    }
}

#[test]
fn each_test_named_on_a_page_exists() {
    let mut known = BTreeSet::new();
    for folder in ["functions", "local", "shared/src", "tests/suite"] {
        functions(&Path::new(ROOT).join(folder), &mut known);
    }
    let pages = ["CONFORMANCE", "REGRESSIONS"]
        .map(|name| fs::read_to_string(Path::new(ROOT).join(format!("docs/{name}.md"))).unwrap());
    let mut rows = 0;
    let lines = pages.iter().flat_map(|page| page.lines());
    for row in lines.filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.split(" |").collect();
        let tests = cells[cells.len() - 2];
        for name in tests.split('`').skip(1).step_by(2) {
            assert!(known.contains(name), "{name} is no test: {row}");
            rows += 1;
        }
    }
    assert!(rows > 50, "{rows} tests were read");
}
