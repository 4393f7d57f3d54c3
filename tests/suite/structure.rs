//! The checkable rules of the structure: imports between layers, the length of main, and complete lists in the
//! documents.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::rust_files;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The layers, lowest first. A layer may import itself and lower ones.
const LAYERS: [&str; 4] = ["base", "protocol", "service", "edge"];

fn functions() -> Vec<PathBuf> {
    ["api", "jobs"]
        .iter()
        .flat_map(|kind| fs::read_dir(Path::new(ROOT).join("functions").join(kind)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[test]
fn layer_never_imports_a_higher_layer() {
    for (height, layer) in LAYERS.iter().enumerate() {
        for file in rust_files(&Path::new(ROOT).join("shared/src").join(layer)) {
            let text = fs::read_to_string(&file).unwrap();
            for above in &LAYERS[height + 1..] {
                let import = format!("crate::{above}");
                assert!(
                    !text.contains(&import),
                    "{} imports {above}",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn services_and_protocols_use_no_http_types_or_status_codes() {
    for file in rust_files(&Path::new(ROOT).join("shared/src/service")) {
        let text = fs::read_to_string(&file).unwrap();
        for word in ["StatusCode", "lambda_http", "axum::"] {
            assert!(!text.contains(word), "{} knows {word}", file.display());
        }
    }
}

#[test]
fn index_of_services_says_what_each_is_for() {
    let entries = fs::read_dir(Path::new(ROOT).join("shared/src/service")).unwrap();
    let index = read("shared/src/service/mod.rs");
    for entry in entries {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            module == "mod" || index.contains(&format!("[`{module}`]")),
            "service/mod.rs does not say what {module} is for"
        );
    }
}

#[test]
fn main_names_its_route_within_sixty_lines() {
    for function in functions() {
        let text = fs::read_to_string(function.join("src/main.rs")).unwrap();
        assert!(text.lines().count() <= 60, "{}", function.display());
        assert!(
            text.starts_with("//! `"),
            "{} names no route",
            function.display()
        );
    }
}

#[test]
fn main_reads_variables_only_after_start() {
    for function in functions() {
        let text = fs::read_to_string(function.join("src/main.rs")).unwrap();
        let reads = text.find("::from_env");
        let starts = text.find("    start().await?;");
        assert!(
            reads.is_none_or(|reads| starts.is_some_and(|starts| starts < reads)),
            "{}: `edge::start` comes first",
            function.display()
        );
    }
}

#[test]
fn every_file_opens_with_a_doc_comment() {
    for folder in ["bench", "functions", "local", "shared", "tests"] {
        for file in rust_files(&Path::new(ROOT).join(folder)) {
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("//! "), "{}", file.display());
            assert!(!text.starts_with("//! In the making"), "{}", file.display());
        }
    }
}

#[test]
fn every_function_has_readme_and_template_entries_and_a_sample_event() {
    let (readme, template) = (read("README.md"), read("template.yaml"));
    for function in functions() {
        let folder = function.strip_prefix(ROOT).unwrap_or(&function);
        let place = format!("{}/{}", name(folder.parent().unwrap()), name(folder));
        assert!(
            readme.contains(&format!("`{place}`")),
            "README.md lacks {place}"
        );
        assert!(
            template.contains(&format!("CodeUri: target/lambda/{}\n", name(folder))),
            "template.yaml lacks {place}, as scripts/lambda-build builds it"
        );
        let events = fs::read_dir(Path::new(ROOT).join("tests/events")).unwrap();
        let mut samples = events.filter(|event| {
            let event = event.as_ref().unwrap().path();
            event
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with(name(folder))
        });
        assert!(
            samples.next().is_some(),
            "tests/events lacks {}",
            name(folder)
        );
    }
}

/// The largest README, in bytes: a summary, a picture, two commands, the functions, a map.
const MAX_README: usize = 8_000;

/// The longest page, in lines.
const MAX_PAGE: usize = 400;

/// File names that do not state the main type or verb.
const FORBIDDEN: &[&str] = &[
    "all",
    "begin",
    "course",
    "courier",
    "errand",
    "exchange",
    "happening",
    "keep",
    "leash",
    "many",
    "one",
    "reading",
    "refusals",
    "rider",
    "seal",
    "shelf",
    "sight",
    "steer",
    "take",
    "troubles",
    "whole",
    "wish",
    "words",
    "clerk",
    "desk",
    "door",
    "fate",
    "keeper",
    "lament",
    "moment",
    "parcel",
    "postman",
    "seat",
    "teller",
    "told",
    "undertaker",
    "word",
];

#[test]
fn readme_is_small_and_no_page_is_long() {
    assert!(read("README.md").len() <= MAX_README);
    let pages = pages();
    assert!(pages.len() >= 17, "{pages:?}");
    for page in pages {
        let lines = fs::read_to_string(&page).unwrap().lines().count();
        assert!(lines <= MAX_PAGE, "{}: {lines} lines", page.display());
    }
}

#[test]
fn no_file_has_a_forbidden_name() {
    for folder in ["functions", "shared", "local"] {
        for file in rust_files(&Path::new(ROOT).join(folder)) {
            let stem = file.file_stem().unwrap().to_str().unwrap();
            assert!(!FORBIDDEN.contains(&stem), "{}", file.display());
        }
    }
}

#[test]
fn every_link_between_pages_leads_to_a_file_and_a_heading() {
    let mut followed = 0;
    for page in pages() {
        let folder = page.parent().unwrap();
        for link in links(&fs::read_to_string(&page).unwrap()) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, heading) = link.split_once('#').unwrap_or((link.as_str(), ""));
            let target = if path.is_empty() {
                page.clone()
            } else {
                folder.join(path)
            };
            assert!(target.exists(), "{}: {link}", page.display());
            if !heading.is_empty() {
                let headings = headings(&fs::read_to_string(&target).unwrap());
                let exists = headings.iter().any(|it| it == heading);
                assert!(exists, "{}: {link}", page.display());
            }
            followed += 1;
        }
    }
    assert!(followed > 60, "{followed} links were followed");
}

#[test]
fn every_place_of_the_architecture_exists() {
    let page = read("docs/ARCHITECTURE.md");
    let (_, places) = page.split_once("\n## Places\n").unwrap();
    let places = places.split("\n## ").next().unwrap();
    let cells = places.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = cells.filter_map(|line| line.split(" | ").next());
    let places: Vec<&str> = cells.flat_map(|cell| cell.split("`, `")).collect();
    assert!(places.len() > 30, "{places:?}");
    for place in places {
        let place = place.trim_end_matches('`');
        assert!(Path::new(ROOT).join(place).exists(), "{place}");
    }
}

/// Returns the Markdown files of this source tree.
fn pages() -> Vec<PathBuf> {
    fn collect(folder: &Path, pages: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_source =
                !name(&path).starts_with('.') && !["target", "node_modules"].contains(&name(&path));
            if path.is_dir() && is_source {
                collect(&path, pages);
            } else if path.extension().is_some_and(|it| it == "md") {
                pages.push(path);
            }
        }
    }
    let mut pages = Vec::new();
    collect(Path::new(ROOT), &mut pages);
    pages
}

/// Returns a page without the code of its fences.
fn prose(page: &str) -> String {
    let parts = page.split("```").step_by(2);
    parts.collect::<Vec<_>>().join("\n")
}

/// Returns the targets of a page's links.
fn links(page: &str) -> Vec<String> {
    let prose = prose(page);
    let links = prose.split("](").skip(1);
    let links = links.filter_map(|rest| rest.split_once(')'));
    links.map(|(link, _)| link.to_owned()).collect()
}

/// Returns the anchors of a page's headings, as GitHub makes them.
fn headings(page: &str) -> Vec<String> {
    let prose = prose(page);
    let lines = prose.lines().filter(|line| line.starts_with('#'));
    let titles = lines.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let kept = |it: &char| it.is_alphanumeric() || [' ', '-', '_'].contains(it);
    titles
        .map(|title| title.chars().filter(kept).collect::<String>())
        .map(|title| title.replace(' ', "-"))
        .collect()
}

#[test]
fn keys_page_lists_exactly_the_declared_key_families() {
    let row = |owner: &str, family: &shared::service::key::Family| {
        format!(
            "| `{}` | {} | {} | {owner} |",
            family.pattern, family.kind, family.life
        )
    };
    let mut declared: BTreeSet<String> = shared::service::KEYS
        .iter()
        .flat_map(|(owner, families)| families.iter().map(|family| row(owner, family)))
        .collect();
    declared.insert(row("health", &health::PROBE));
    let page = read("docs/KEYS.md");
    let section = page.split("\n## ").next().unwrap();
    let listed: BTreeSet<String> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(ToOwned::to_owned)
        .collect();
    assert_eq!(declared, listed);
}

#[test]
fn each_key_pattern_is_declared_once() {
    for family in shared::service::KEYS
        .iter()
        .flat_map(|(_, families)| *families)
    {
        let literal = format!("\"{}\"", family.pattern);
        let owners = rust_files(&Path::new(ROOT).join("shared/src"))
            .into_iter()
            .filter(|file| fs::read_to_string(file).unwrap().contains(&literal))
            .count();
        assert_eq!(owners, 1, "{} is declared {owners} times", family.pattern);
    }
}

/// Returns the numbers after `Defect` or `Defects` in a comment: `27`, `46 to 48`, or `3, 4`.
fn numbers(text: &str) -> Vec<u32> {
    let words = text.split(|it: char| it.is_whitespace() || ".,:;".contains(it));
    let mut numbers = Vec::new();
    let mut is_range = false;
    for word in words.filter(|word| !word.is_empty() && *word != "and") {
        match (word.parse(), numbers.last().copied()) {
            (Ok(end), Some(begin)) if is_range => numbers.extend(begin + 1..=end),
            (Ok(number), _) => numbers.push(number),
            (Err(_), _) if word != "to" => break,
            (Err(_), _) => {}
        }
        is_range = word == "to";
    }
    numbers
}

/// Returns each defect that a test covers, with the test's name.
fn held() -> BTreeSet<(u32, String)> {
    let mut held = BTreeSet::new();
    for folder in ["tests/suite", "shared/src", "functions"] {
        for file in rust_files(&Path::new(ROOT).join(folder)) {
            let text = fs::read_to_string(&file).unwrap();
            for part in text.split("/// Defect").skip(1) {
                let comment = part.trim_start_matches('s');
                let name = comment.split("fn ").nth(1).unwrap();
                let name = name.split('(').next().unwrap();
                held.extend(
                    numbers(comment)
                        .iter()
                        .map(|&number| (number, name.to_owned())),
                );
            }
        }
    }
    held
}

#[test]
fn defects_page_names_exactly_the_tests_that_guard_each_defect() {
    let page = read("docs/DEFECTS.md");
    let mut listed = BTreeSet::new();
    for row in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let Ok(number) = cells[0].trim().parse::<u32>() else {
            continue;
        };
        let tests = cells[2].split('`').skip(1).step_by(2);
        let names = tests.map(|test| test.rsplit("::").next().unwrap().to_owned());
        listed.extend(names.map(|name| (number, name)));
    }
    assert_eq!(listed, held());
}
