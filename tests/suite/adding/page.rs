//! Parses a page as instructions: sentences that start with "Create", "Change", "Copy", "In" and "Run", and the code
//! below them.

use super::tree::Tree;

/// The first parts of paths in this source tree.
const FOLDERS: [&str; 9] = [
    "bench/",
    "clients/",
    "docs/",
    "functions/",
    "local/",
    "scripts/",
    "shared/",
    "template/",
    "tests/",
];

/// A paragraph, or the code of a fence.
enum Block {
    Prose(String),
    Code(String),
}

/// The use of the next code block.
enum Target {
    Create(String),
    Change(String),
}

/// Applies all instructions of the page.
pub(super) fn follow(tree: &Tree, page: &str) {
    let mut target = None;
    let mut steps = 0;
    for block in blocks(page) {
        match block {
            Block::Prose(text) => {
                for sentence in text.split(". ") {
                    let spans = spans(sentence);
                    match sentence.split('`').next().unwrap() {
                        "Create " => target = Some(Target::Create(spans[0].to_owned())),
                        "Change " => target = Some(Target::Change(spans[0].to_owned())),
                        "Copy " | "In " => {
                            transcribe(tree, sentence);
                            steps += 1;
                        }
                        "Run " => {
                            assert_eq!(spans[0], "make template");
                            tree.write_template();
                            steps += 1;
                        }
                        _ => {}
                    }
                }
            }
            Block::Code(code) => {
                match target.take() {
                    Some(Target::Create(path)) => {
                        assert!(!tree.has(&path), "{path} exists already");
                        tree.write(&path, &code);
                    }
                    Some(Target::Change(path)) => {
                        tree.write(&path, &patched(&tree.read(&path), &code, &path));
                    }
                    // A command to run.
                    None => continue,
                }
                steps += 1;
            }
        }
    }
    assert!(target.is_none(), "a file is named, and no code follows");
    assert!(steps > 10, "{steps} steps were read");
}

/// Returns the paths in the page's code spans.
pub(super) fn paths(page: &str) -> Vec<String> {
    let prose = blocks(page).into_iter().filter_map(|block| match block {
        Block::Prose(text) => Some(text),
        Block::Code(_) => None,
    });
    let prose: Vec<String> = prose.collect();
    let spans = prose.iter().flat_map(|text| spans(text));
    let paths = spans.filter(|span| FOLDERS.iter().any(|folder| span.starts_with(folder)));
    paths.map(str::to_owned).collect()
}

/// Applies a sentence that copies a file or replaces text in one.
fn transcribe(tree: &Tree, sentence: &str) {
    let (what, pairs) = sentence.split_once("replace ").unwrap();
    let (places, pairs) = (spans(what), pairs_of(&spans(pairs)));
    match places[..] {
        [path] => {
            let text = tree.read(path);
            for (from, _) in &pairs {
                let found = text.matches(from).count();
                assert_eq!(found, 1, "{path} has {from:?} {found} times");
            }
            tree.write(path, &replaced(&text, &pairs));
        }
        [from, to] if sentence.starts_with("Copy ") => {
            assert!(!tree.has(to), "{to} exists already");
            tree.write(to, &replaced(&tree.read(from), &pairs));
        }
        _ => panic!("{sentence} names neither one file nor two"),
    }
}

/// Returns the text after a diff of unique context lines and added ones. An empty line ends a hunk.
fn patched(text: &str, diff: &str, path: &str) -> String {
    let mut lines = lines(text);
    for hunk in diff.trim_end().split("\n\n") {
        let mut added: Vec<String> = Vec::new();
        let mut place = None;
        for line in hunk.lines() {
            if let Some(line) = line.strip_prefix('+') {
                added.push(line.to_owned());
                continue;
            }
            let anchor = line
                .strip_prefix(' ')
                .unwrap_or_else(|| panic!("{path}: {line}"));
            if let Some(place) = place {
                lines.splice(place..place, added.drain(..));
            }
            let at = only(&lines, anchor, path);
            let end = at + added.len() + 1;
            lines.splice(at..at, added.drain(..));
            place = Some(end);
        }
        let place = place.unwrap_or_else(|| panic!("{path}: a hunk without context"));
        lines.splice(place..place, added);
    }
    lines.join("\n") + "\n"
}

/// Returns the only line that equals this text, or starts with it if an ellipsis ends it.
fn only(lines: &[String], anchor: &str, path: &str) -> usize {
    let is_anchor = |line: &String| match anchor.strip_suffix("...") {
        Some(beginning) => line.starts_with(beginning),
        None => line == anchor,
    };
    let places: Vec<usize> = (0..lines.len())
        .filter(|&at| is_anchor(&lines[at]))
        .collect();
    assert_eq!(
        places.len(),
        1,
        "{path} has {anchor:?} {} times",
        places.len()
    );
    places[0]
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Returns the code spans of a text.
fn spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Returns pairs of replaced and new text: first and second, third and fourth, and so on.
fn pairs_of<'a>(spans: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let (pairs, rest) = spans.as_chunks::<2>();
    assert!(rest.is_empty() && !pairs.is_empty(), "{spans:?}");
    pairs.iter().map(|&[from, to]| (from, to)).collect()
}

fn replaced(text: &str, pairs: &[(&str, &str)]) -> String {
    pairs
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Returns the paragraphs and fences of a page.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut paragraph: Vec<&str> = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let is_fence = line.starts_with("```");
        if line.is_empty() || is_fence {
            blocks.push(Block::Prose(paragraph.join(" ")));
            paragraph.clear();
        } else {
            paragraph.push(line);
        }
        if is_fence {
            let code = lines.by_ref().take_while(|line| *line != "```");
            blocks.push(Block::Code(code.flat_map(|line| [line, "\n"]).collect()));
        }
    }
    blocks.push(Block::Prose(paragraph.join(" ")));
    blocks
}
