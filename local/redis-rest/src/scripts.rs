//! Upstash's script flag `allow-key-locking`, which redis-server does not know and would reject.
//!
//! The front removes the flag from scripts, and [`crate::script_users`] enforces it. That changes the script's SHA-1,
//! so the front maps it: EVALSHA, SCRIPT EXISTS and SCRIPT LOAD use only the original SHA-1, as at Upstash.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use sha1::{Digest, Sha1};

use crate::command::Command;
use crate::step::Sent;

const FLAG: &str = "allow-key-locking";

/// The scripts that run with another SHA-1 than the caller's.
#[derive(Default)]
pub(crate) struct Scripts {
    by_original: Mutex<HashMap<String, String>>,
}

impl Scripts {
    /// Rewrites commands that contain or name a script.
    pub(crate) fn translate(&self, command: Command) -> Sent {
        let name = command.name();
        let subcommand = command.keyword(0);
        let (command, sha, is_locked) = match (name.as_str(), subcommand.as_deref()) {
            ("eval" | "eval_ro", _) => {
                let (command, original) = self.with_source(command, 0);
                (command, None, original.is_some())
            }
            ("script", Some("load")) => {
                let (command, sha) = self.with_source(command, 1);
                (command, sha, false)
            }
            ("function", Some("load")) => (with_library(command), None, false),
            ("evalsha" | "evalsha_ro", _) => {
                let (command, is_locked) = self.with_names(command, 0);
                (command, None, is_locked)
            }
            ("script", Some("exists")) => (self.with_names(command, 1).0, None, false),
            _ => (command, None, false),
        };
        Sent {
            command,
            sha,
            is_locked,
        }
    }

    /// Removes the flag from the script at that position, and returns its original SHA-1.
    fn with_source(&self, command: Command, place: usize) -> (Command, Option<Bytes>) {
        let Some(source) = command.arguments().get(place).cloned() else {
            return (command, None);
        };
        let Some(rewritten) = without_flag(&source) else {
            return (command, None);
        };
        let original = sha1_hex(&source);
        let mut known = self
            .by_original
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.insert(original.clone(), sha1_hex(&rewritten));
        (
            command.with_argument(place, rewritten.into()),
            Some(original.into()),
        )
    }

    /// Replaces the original SHA-1s from that position on; for EVALSHA only the first. Returns whether there was any.
    fn with_names(&self, mut command: Command, first: usize) -> (Command, bool) {
        let mut is_known = false;
        let known = self
            .by_original
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let last = if first == 0 {
            1
        } else {
            command.arguments().len()
        };
        for place in first..last {
            let original = command.keyword(place);
            if let Some(rewritten) = original.and_then(|original| known.get(&original)) {
                command = command.with_argument(place, Bytes::from(rewritten.clone()));
                is_known = true;
            }
        }
        (command, is_known)
    }
}

/// Returns the script without the flag; `None` if its first line does not have it. A first line without other flags is
/// emptied, so that the script runs without a shebang. Its line break stays, so that errors have the right line number.
fn without_flag(source: &[u8]) -> Option<Vec<u8>> {
    let end = source
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(source.len());
    let (shebang, body) = source.split_at(end);
    let shebang = std::str::from_utf8(shebang)
        .ok()
        .filter(|line| line.starts_with("#!"))?;
    let mut words: Vec<String> = shebang.split_whitespace().map(str::to_owned).collect();
    let place = words.iter().position(|word| word.starts_with("flags="))?;
    let flags: Vec<&str> = words[place]
        .trim_start_matches("flags=")
        .split(',')
        .collect();
    if !flags.contains(&FLAG) {
        return None;
    }
    let kept: Vec<&str> = flags.into_iter().filter(|flag| *flag != FLAG).collect();
    if kept.is_empty() {
        words.remove(place);
    } else {
        words[place] = format!("flags={}", kept.join(","));
    }
    let line = if words.len() == 1 {
        String::new()
    } else {
        words.join(" ")
    };
    Some([line.as_bytes(), body].concat())
}

/// Removes the flag from a library, which has it in its code, as a string in a table of flags.
fn with_library(command: Command) -> Command {
    let place = command.arguments().len().saturating_sub(1);
    let Some(source) = command.arguments().get(place).cloned() else {
        return command;
    };
    let Ok(mut code) = String::from_utf8(source.to_vec()) else {
        return command;
    };
    for quoted in [format!("'{FLAG}'"), format!("\"{FLAG}\"")] {
        while let Some(start) = code.find(&quoted) {
            let rest = &code[start + quoted.len()..];
            // The comma is removed too: a table may end with a comma, but not start with one.
            let end = rest
                .trim_start()
                .strip_prefix(',')
                .map_or(code.len() - rest.len(), |after| code.len() - after.len());
            code.replace_range(start..end, "");
        }
    }
    command.with_argument(place, code.into())
}

fn sha1_hex(source: &[u8]) -> String {
    format!("{:x}", Bytes::copy_from_slice(&Sha1::digest(source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(source: &str) -> Option<String> {
        without_flag(source.as_bytes()).map(|script| String::from_utf8(script).unwrap())
    }

    fn library(source: &'static str) -> String {
        let words = ["FUNCTION", "LOAD", source].map(|word| Bytes::from_static(word.as_bytes()));
        let command = with_library(Command::from_words(words).unwrap());
        String::from_utf8(command.arguments()[1].to_vec()).unwrap()
    }

    #[test]
    fn single_flag_removes_the_shebang_but_not_its_line() {
        assert_eq!(
            rewritten("#!lua flags=allow-key-locking\nreturn 1").as_deref(),
            Some("\nreturn 1")
        );
        assert_eq!(
            rewritten("#!lua flags=allow-key-locking").as_deref(),
            Some("")
        );
    }

    #[test]
    fn other_flags_stay() {
        let both = rewritten("#!lua flags=no-writes,allow-key-locking\r\nreturn 1");
        assert_eq!(both.as_deref(), Some("#!lua flags=no-writes\nreturn 1"));
    }

    #[test]
    fn script_without_the_flag_is_unchanged() {
        for source in [
            "return 'allow-key-locking'",
            "#!lua\nreturn 1",
            "#!lua flags=no-writes\nreturn 1",
            "",
        ] {
            assert_eq!(rewritten(source), None, "{source}");
        }
    }

    #[test]
    fn library_loses_the_flag_at_any_position() {
        assert_eq!(library("flags={'allow-key-locking'}"), "flags={}");
        assert_eq!(
            library("flags={ \"allow-key-locking\" , 'no-writes' }"),
            "flags={  'no-writes' }"
        );
        assert_eq!(
            library("flags={'no-writes', 'allow-key-locking'}"),
            "flags={'no-writes', }"
        );
    }
}
