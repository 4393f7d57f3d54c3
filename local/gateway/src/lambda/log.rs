//! A function's standard output and error: one file per function, line by line, of bounded size.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::Error;

/// At this size the file is renamed to `<name>.log.1` and replaces the previous one. So a function has at most twice
/// this size.
const FILE: u64 = 8 * 1024 * 1024;
/// A longer line is split. `CloudWatch` has a similar limit for one event.
const LINE: usize = 256 * 1024;
/// The size of one read.
const CHUNK: usize = 16 * 1024;

/// The log of one function, shared by its instances.
#[derive(Debug, Clone)]
pub(crate) struct Log(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    file: File,
    written: u64,
}

impl Log {
    /// Opens `<folder>/<name>.log` for appending.
    pub(crate) fn open(folder: &Path, name: &str) -> Result<Self, Error> {
        let path = folder.join(format!("{name}.log"));
        let failed = |source| Error::Log {
            path: path.clone(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let file = append(&path).map_err(failed)?;
        let written = file.metadata().map_err(failed)?.len();
        Ok(Self(Arc::new(Mutex::new(Inner {
            path,
            file,
            written,
        }))))
    }

    /// Copies the stream into the file until it ends.
    pub(crate) fn follow(&self, stream: Option<impl AsyncRead + Unpin + Send + 'static>) {
        if let Some(stream) = stream {
            tokio::spawn(copy(self.clone(), stream));
        }
    }

    /// Appends whole lines. The write is blocking: lines are short, and it does not delay the runtime for long.
    fn append(&self, lines: &[u8]) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = inner.append(lines) {
            tracing::warn!(
                %error,
                path = %inner.path.display(),
                "output of a function not written to its log; lost"
            );
        }
    }
}

impl Inner {
    fn append(&mut self, lines: &[u8]) -> std::io::Result<()> {
        if self.written >= FILE {
            std::fs::rename(&self.path, self.path.with_extension("log.1"))?;
            self.file = append(&self.path)?;
            self.written = 0;
        }
        self.file.write_all(lines)?;
        self.written += u64::try_from(lines.len()).unwrap_or(u64::MAX);
        Ok(())
    }
}

fn append(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

async fn copy(log: Log, mut stream: impl AsyncRead + Unpin) {
    let mut pending = Vec::with_capacity(CHUNK);
    while let Ok(read) = stream.read_buf(&mut pending).await {
        if read == 0 {
            break;
        }
        let complete = match pending.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if pending.len() >= LINE => pending.len(),
            None => continue,
        };
        log.append(&pending[..complete]);
        pending.drain(..complete);
    }
    if !pending.is_empty() {
        pending.push(b'\n');
        log.append(&pending);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn log_lines_are_complete_and_the_file_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(folder.path(), "f").unwrap();
        copy(log.clone(), &b"one\ntwo"[..]).await;
        assert_eq!(
            std::fs::read_to_string(folder.path().join("f.log")).unwrap(),
            "one\ntwo\n"
        );
        let line = vec![b'x'; 1024 * 1024];
        for _ in 0..20 {
            copy(log.clone(), &line[..]).await;
        }
        let size = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().len();
        assert!(size("f.log") < 2 * FILE);
        assert!(size("f.log.1") < 2 * FILE);
    }
}
