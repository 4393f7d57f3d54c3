//! Variables as a dotenv file that a shell can also read: one single-quoted line each.

use std::collections::BTreeMap;
use std::fmt::Write;

/// Parses the variables of such a file.
#[must_use]
pub fn variables(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| {
            let (name, quoted) = line.split_once('=')?;
            let inner = quoted.strip_prefix('\'')?.strip_suffix('\'')?;
            Some((name.to_owned(), inner.replace(r"'\''", "'")))
        })
        .collect()
}

/// Returns the file's text. A line break in a value becomes a space: a dotenv line cannot contain one.
pub(super) fn text(variables: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (name, value) in variables {
        let quoted = value.replace(['\r', '\n'], " ").replace('\'', r"'\''");
        // Writing to a string does not fail.
        let _infallible = writeln!(text, "{name}='{quoted}'");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::process::Command;

    use super::{text, variables};

    #[test]
    fn written_values_are_read_back_by_a_shell_and_by_the_parser() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("env");
        for value in [
            "plain",
            "",
            "SignTusk <a@b.c>",
            "it's $HOME `id` \\ \"x\"",
            "ü # not a comment",
        ] {
            let written = BTreeMap::from([("VALUE".to_owned(), value.to_owned())]);
            std::fs::write(&file, text(&written)).unwrap();
            assert_eq!(variables(&text(&written)), written);
            let output = Command::new("sh")
                .args(["-c", ". \"$1\"; printf %s \"$VALUE\"", "sh"])
                .arg(&file)
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), value);
        }
    }
}
