//! Variables as a dotenv file that a shell reads, too: one line each, single-quoted.

use std::collections::BTreeMap;
use std::fmt::Write;

/// The file's text. A line break in a value becomes a space: a dotenv line cannot hold one.
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

    use super::text;

    #[test]
    fn a_shell_reads_back_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("env");
        for value in [
            "plain",
            "",
            "SignTusk <a@b.c>",
            "it's $HOME `id` \\ \"x\"",
            "ü # not a comment",
        ] {
            let variables = BTreeMap::from([("VALUE".to_owned(), value.to_owned())]);
            std::fs::write(&file, text(&variables)).unwrap();
            let output = Command::new("sh")
                .args(["-c", ". \"$1\"; printf %s \"$VALUE\"", "sh"])
                .arg(&file)
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), value);
        }
    }
}
