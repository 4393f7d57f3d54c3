//! Log lines and errors: docs/LOGGING.md names existing lines, and all of them are in plain words.

use std::fs;
use std::path::Path;

use crate::support::rust_files;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

const LEVELS: [&str; 4] = ["error", "warn", "info", "debug"];

/// Words that log lines and errors must not contain.
const RIDDLES: [&str; 8] = [
    "he", "him", "his", "nobody", "somebody", "whoever", "wish", "told",
];

/// Returns the source code of all programs in these folders.
fn sources(folders: &[&str]) -> Vec<String> {
    folders
        .iter()
        .flat_map(|folder| rust_files(&Path::new(ROOT).join(folder)))
        .map(|file| fs::read_to_string(file).unwrap())
        .collect()
}

/// Returns the text from the first parenthesis to its closing one.
fn parenthesized(text: &str) -> &str {
    let (mut depth, mut is_quoted, mut is_escaped) = (0, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => {
                depth -= 1;
                if depth == 0 {
                    return &text[..=at];
                }
            }
            _ => {}
        }
    }
    text
}

/// Returns the arguments of each call of `name` in a source.
fn calls<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
    source.split(name).skip(1).map(parenthesized).collect()
}

/// Returns the texts in quotation marks.
fn literals(arguments: &str) -> impl Iterator<Item = &str> {
    arguments.split('"').skip(1).step_by(2)
}

#[test]
fn line_on_the_logging_page_is_in_the_source_at_its_level_and_links_a_section() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/LOGGING.md")).unwrap();
    let runbook = fs::read_to_string(Path::new(ROOT).join("docs/RUNBOOK.md")).unwrap();
    let sources = sources(&["functions", "shared"]);
    let mut rows = 0;
    for row in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches(['|', ' ']).split(" | ").collect();
        let [message, level, _, section] = cells[..] else {
            continue;
        };
        rows += 1;
        let literal = message.replace('`', "\"");
        let levels = LEVELS.into_iter().filter(|level| {
            let name = format!("tracing::{level}!");
            let mut found = sources.iter().flat_map(|source| calls(source, &name));
            found.any(|call| call.contains(&literal))
        });
        let levels: Vec<String> = levels.map(str::to_uppercase).collect();
        if levels.is_empty() {
            let is_there = sources.iter().any(|source| source.contains(&literal));
            assert!(is_there, "no source has {literal}");
        } else {
            assert_eq!(levels, [level], "{literal}");
        }
        let heading = format!("\n## {section}\n");
        assert!(runbook.contains(&heading), "RUNBOOK.md lacks {section}");
    }
    assert!(rows > 20, "the page has {rows} lines");
}

#[test]
fn log_lines_and_errors_use_no_riddles() {
    let mut names: Vec<String> = LEVELS.map(|level| format!("tracing::{level}!")).into();
    names.push("#[error".to_owned());
    for source in sources(&["bench", "functions", "local", "shared"]) {
        for name in &names {
            for literal in calls(&source, name).into_iter().flat_map(literals) {
                let words = literal.split(|letter: char| !letter.is_ascii_alphabetic());
                for word in words {
                    let word = word.to_ascii_lowercase();
                    assert!(!RIDDLES.contains(&word.as_str()), "{word:?} in {literal:?}");
                }
            }
        }
    }
}
