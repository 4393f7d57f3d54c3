//! The log file of a program, locked as long as the program runs.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

/// A log longer than this is truncated when its program starts.
const MAX_LENGTH: u64 = 4 * 1024 * 1024;

/// The wait for an earlier program to end: its guard kills it after 8 seconds.
const WAIT_LIMIT: Duration = Duration::from_secs(12);

/// The interval of the attempts to lock.
const WAIT_INTERVAL: Duration = Duration::from_millis(20);

/// The bytes and lines of a log that an error includes.
const TAIL_BYTES: u64 = 1500;
const TAIL_LINES: usize = 12;

/// Opens the log and locks it. The program inherits the open file as its output, and the lock belongs to that file. So
/// the lock lasts until the program's last process has ended, however this process ends.
pub(super) async fn take(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let deadline = Instant::now() + WAIT_LIMIT;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                tokio::time::sleep(WAIT_INTERVAL).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    if file.metadata()?.len() > MAX_LENGTH {
        file.set_len(0)?;
    }
    Ok(file)
}

/// Returns the last lines of a log, for an error message.
pub(super) fn tail(path: &Path) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        file.read_to_end(&mut bytes)
    });
    if let Err(error) = read {
        return format!("({error})");
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
