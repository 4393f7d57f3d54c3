//! The findings of Schemathesis in few lines: its own report repeats whole responses and has thousands.

/// The maximum number of lines.
const LINES: usize = 60;

/// The maximum length of a line: a request may have a body of any length.
const WIDTH: usize = 400;

/// Returns the failures of a report, each with its operation, its check, its status and its request; then errors;
/// warnings only if there is nothing else. Returns the end of the report if it has none of these.
pub(super) fn failures(report: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut section = "";
    let mut is_detail = false;
    for line in report.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(title) = heading(line, '=') {
            section = title;
        }
        let is_check = line.starts_with("- ");
        let tells = match section {
            "FAILURES" => is_detail || is_telling(line),
            "ERRORS" => true,
            "WARNINGS" => kept.is_empty() || heading(kept[0], '=') == Some(section),
            _ => false,
        };
        if tells {
            kept.push(line);
        }
        // A check's findings are below its name.
        is_detail = is_check;
    }
    if kept.is_empty() {
        let lines: Vec<&str> = report.lines().collect();
        return shortened(&lines[lines.len().saturating_sub(LINES)..]);
    }
    shortened(&kept)
}

/// Returns the words of `===== WORDS =====`.
fn heading(line: &str, rule: char) -> Option<&str> {
    let words = line.strip_prefix(rule)?.strip_suffix(rule)?;
    Some(words.trim_matches(rule).trim())
}

/// Returns whether a line is an operation, a check, its expectation, a status, or the request to repeat.
fn is_telling(line: &str) -> bool {
    let text = line.trim_start();
    let is_status = text.starts_with('[') && text[1..].starts_with(|c: char| c.is_ascii_digit());
    let is_detail = ["Invalid component", "- violates", "Actual:", "Expected:"]
        .iter()
        .any(|start| text.starts_with(start));
    heading(line, '_').is_some()
        || text.starts_with("- ")
        || text.starts_with("curl ")
        || is_status
        || is_detail
}

fn shortened(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines.iter().take(LINES) {
        let cut = line.floor_char_boundary(WIDTH);
        text.push_str(&line[..cut]);
        text.push_str(if cut < line.len() { "...\n" } else { "\n" });
    }
    if lines.len() > LINES {
        let more = (lines.len() - LINES).to_string();
        text.extend(["and ", &more, " lines more\n"]);
    }
    text
}
