//! The end of a log, for an error that explains itself.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// How many bytes of a log are shown.
const SHOWN: u64 = 1500;

/// The last whole lines of `log`, or nothing when it cannot be read.
pub(super) fn of(log: &Path) -> String {
    let mut bytes = Vec::new();
    let read = File::open(log).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(SHOWN)))?;
        file.read_to_end(&mut bytes)
    });
    if let Err(error) = read {
        return format!("({error})");
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
