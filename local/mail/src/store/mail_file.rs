//! The file of the mails and its index.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::idempotency::Keys;
use crate::mail::Mail;

#[derive(Debug)]
pub(super) struct MailFile {
    path: PathBuf,
    file: File,
    /// The length of the file, where the next line starts.
    pub(super) end: u64,
    pub(super) entries: VecDeque<Entry>,
    pub(super) keys: Keys,
    /// Counts changes, so that a reader can detect a new state.
    pub(super) generation: u64,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: String,
    /// In lower case.
    pub(super) recipients: Vec<String>,
    offset: u64,
    length: usize,
}

/// The part of a line that the index needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    id: String,
    to: Vec<String>,
    cc: Vec<String>,
    bcc: Vec<String>,
    #[serde(default)]
    idempotency_key: Option<String>,
    #[serde(default)]
    payload: Option<String>,
    at: Timestamp,
}

/// A line: a mail and the members for the index.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    mail: &'a Mail,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a str>,
}

impl MailFile {
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .open(&path)?;
        let (entries, keys, end) = index(&file)?;
        file.set_len(end)?;
        Ok(Self {
            path,
            file,
            end,
            entries,
            keys,
            generation: 0,
        })
    }

    pub(super) fn append(&mut self, mail: &Mail, payload: Option<&str>) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Written { mail, payload })?;
        line.push(b'\n');
        if let Err(error) = self.file.write_all(&line) {
            // The next mail must not continue a partial line.
            self.file.set_len(self.end)?;
            return Err(error);
        }
        self.entries.push_back(Entry {
            id: mail.id.clone(),
            recipients: mail.recipients().map(str::to_lowercase).collect(),
            offset: self.end,
            length: line.len(),
        });
        if let (Some(key), Some(payload)) = (&mail.idempotency_key, payload) {
            self.keys.add(key, payload, &mail.id, mail.at);
        }
        self.end += line.len() as u64;
        self.generation += 1;
        Ok(())
    }

    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.entries.clear();
        self.keys.clear();
        self.end = 0;
        self.generation += 1;
        Ok(())
    }

    pub(super) fn read(&self, entry: &Entry) -> io::Result<Mail> {
        let mut line = vec![0; entry.length];
        self.file.read_exact_at(&mut line, entry.offset)?;
        Ok(serde_json::from_slice(&line)?)
    }

    /// Writes the newer half to a new file, which then replaces the old one.
    pub(super) fn drop_older_half(&mut self) -> io::Result<()> {
        let fresh = self.path.with_extension("jsonl.new");
        let mut writer = io::BufWriter::new(File::create(&fresh)?);
        for entry in self.entries.range(self.entries.len() / 2..) {
            let mut line = vec![0; entry.length];
            self.file.read_exact_at(&mut line, entry.offset)?;
            writer.write_all(&line)?;
        }
        writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        std::fs::rename(&fresh, &self.path)?;
        let generation = self.generation + 1;
        *self = Self {
            generation,
            ..Self::open(self.path.clone())?
        };
        Ok(())
    }
}

/// Reads the index and the end of the last complete line. A foreign line is skipped.
fn index(file: &File) -> io::Result<(VecDeque<Entry>, Keys, u64)> {
    let mut reader = BufReader::new(file);
    let (mut entries, mut keys, mut end) = (VecDeque::new(), Keys::default(), 0);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
        if let Ok(found) = serde_json::from_slice::<Line>(&line) {
            if let (Some(key), Some(payload)) = (&found.idempotency_key, &found.payload) {
                keys.add(key, payload, &found.id, found.at);
            }
            let recipients = [found.to, found.cc, found.bcc].into_iter().flatten();
            entries.push_back(Entry {
                id: found.id,
                recipients: recipients.map(|one| one.to_lowercase()).collect(),
                offset: end,
                length: line.len(),
            });
        }
        end += line.len() as u64;
        line.clear();
    }
    Ok((entries, keys, end))
}
