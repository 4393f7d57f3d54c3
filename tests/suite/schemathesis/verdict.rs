//! What Schemathesis found, in few lines: its own report repeats whole answers and runs to thousands.

/// Lines that are kept at the most.
const LINES: usize = 60;

/// Characters of a line that are kept: a request may carry a body of any length.
const WIDTH: usize = 400;

/// The failures of a report, each with its operation, its check, its status and the request that leads to it; errors
/// after them; warnings where there is nothing else. The end of the report where it names none.
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
        // What a check found stands below its name.
        is_detail = is_check;
    }
    if kept.is_empty() {
        let lines: Vec<&str> = report.lines().collect();
        return shortened(&lines[lines.len().saturating_sub(LINES)..]);
    }
    shortened(&kept)
}

/// The words of `===== WORDS =====`.
fn heading(line: &str, rule: char) -> Option<&str> {
    let words = line.strip_prefix(rule)?.strip_suffix(rule)?;
    Some(words.trim_matches(rule).trim())
}

/// An operation, a check, what it missed, a status, or the request to repeat.
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
