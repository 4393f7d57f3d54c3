//! Where mails lie: one JSON line each in a file that only grows, and an index of it in memory.
//!
//! Kept are at most [`MAX_MAILS`] mails and about [`MAX_BYTES`]; when either is met, the older half goes.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Deserialize;

use crate::mail::Mail;

/// The most mails that are kept.
const MAX_MAILS: usize = 50_000;

/// The most bytes that the file grows to before its older half goes.
const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// The mails, shared by the endpoint that takes them and the mailbox that shows them.
#[derive(Debug)]
pub(crate) struct Store(Mutex<Shelf>);

/// Which mails are asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Only those to this address, in any case; empty is all.
    pub(crate) to: String,
    /// Only those with this text in one of the recipients' addresses, in any case; empty is all.
    pub(crate) search: String,
}

#[derive(Debug)]
struct Shelf {
    path: PathBuf,
    file: File,
    /// The length of the file, which is where the next line begins.
    end: u64,
    entries: VecDeque<Entry>,
    /// Counts changes, so that a reader knows whether it has seen this state.
    generation: u64,
}

#[derive(Debug)]
struct Entry {
    id: String,
    /// In lower case.
    recipients: Vec<String>,
    offset: u64,
    length: usize,
}

/// As much of a line as the index needs.
#[derive(Deserialize)]
struct Line {
    id: String,
    to: Vec<String>,
    cc: Vec<String>,
    bcc: Vec<String>,
}

impl Store {
    /// Opens the file in `folder`, or makes it. A line that a crash left unfinished is cut off.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join("mails.jsonl");
        Ok(Self(Mutex::new(Shelf::open(path)?)))
    }

    /// Appends a mail.
    pub(crate) fn keep(&self, mail: &Mail) -> io::Result<()> {
        let mut line = serde_json::to_vec(mail)?;
        line.push(b'\n');
        let mut mails = self.lock();
        mails.append(mail, &line)?;
        if mails.entries.len() > MAX_MAILS || mails.end > MAX_BYTES {
            mails.drop_older_half()?;
        }
        Ok(())
    }

    /// The mails that pass `filter`, newest first, at most `limit`.
    pub(crate) fn list(&self, filter: &Filter, limit: usize) -> io::Result<Vec<Mail>> {
        let to = filter.to.to_lowercase();
        let search = filter.search.to_lowercase();
        let mails = self.lock();
        mails
            .entries
            .iter()
            .rev()
            .filter(|entry| to.is_empty() || entry.recipients.contains(&to))
            .filter(|entry| {
                search.is_empty() || entry.recipients.iter().any(|one| one.contains(&search))
            })
            .take(limit)
            .map(|entry| mails.read(entry))
            .collect()
    }

    /// The mail with this id.
    pub(crate) fn get(&self, id: &str) -> io::Result<Option<Mail>> {
        let mails = self.lock();
        let entry = mails.entries.iter().rev().find(|entry| entry.id == id);
        entry.map(|entry| mails.read(entry)).transpose()
    }

    /// Forgets every mail.
    pub(crate) fn clear(&self) -> io::Result<()> {
        let mut mails = self.lock();
        mails.file.set_len(0)?;
        mails.entries.clear();
        mails.end = 0;
        mails.generation += 1;
        Ok(())
    }

    /// Changes whenever the mails do.
    pub(crate) fn generation(&self) -> u64 {
        self.lock().generation
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn open(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .open(&path)?;
        let (entries, end) = index(&file)?;
        file.set_len(end)?;
        Ok(Self {
            path,
            file,
            end,
            entries,
            generation: 0,
        })
    }

    fn append(&mut self, mail: &Mail, line: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(line) {
            // Half a line must not be continued by the next mail.
            self.file.set_len(self.end)?;
            return Err(error);
        }
        self.entries.push_back(Entry {
            id: mail.id.clone(),
            recipients: mail.recipients().map(str::to_lowercase).collect(),
            offset: self.end,
            length: line.len(),
        });
        self.end += line.len() as u64;
        self.generation += 1;
        Ok(())
    }

    fn read(&self, entry: &Entry) -> io::Result<Mail> {
        let mut line = vec![0; entry.length];
        self.file.read_exact_at(&mut line, entry.offset)?;
        Ok(serde_json::from_slice(&line)?)
    }

    /// Writes the newer half into a new file, which then takes the old one's place.
    fn drop_older_half(&mut self) -> io::Result<()> {
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

/// Reads the index, and where the last whole line ends. A line that is none of ours is passed over.
fn index(file: &File) -> io::Result<(VecDeque<Entry>, u64)> {
    let mut reader = BufReader::new(file);
    let (mut entries, mut end) = (VecDeque::new(), 0);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
        if let Ok(found) = serde_json::from_slice::<Line>(&line) {
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
    Ok((entries, end))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{Filter, Store};
    use crate::clock;
    use crate::mail::Mail;

    fn mail(id: &str, to: &str) -> Mail {
        Mail {
            id: id.to_owned(),
            to: vec![to.to_owned()],
            cc: Vec::new(),
            bcc: Vec::new(),
            from: "a@b.c".to_owned(),
            reply_to: Vec::new(),
            subject: "a\nb".to_owned(),
            html: String::new(),
            text: "ü".to_owned(),
            headers: Vec::new(),
            attachments: Vec::new(),
            at: clock::now(),
        }
    }

    fn ids(store: &Store, filter: &Filter) -> Vec<String> {
        let mails = store.list(filter, 10).unwrap();
        mails.into_iter().map(|mail| mail.id).collect()
    }

    #[test]
    fn mails_survive_a_restart_and_a_torn_line_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.keep(&mail("1", "x@y.z")).unwrap();
        store.keep(&mail("2", "X@y.z")).unwrap();
        drop(store);
        let path = folder.path().join("mails.jsonl");
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(b"{\"id\":\"3\",").unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.keep(&mail("4", "other@y.z")).unwrap();
        assert_eq!(ids(&store, &Filter::default()), ["4", "2", "1"]);
        assert_eq!(store.get("2").unwrap().unwrap().text, "ü");
        let reopened = Store::open(folder.path()).unwrap();
        assert_eq!(ids(&reopened, &Filter::default()), ["4", "2", "1"]);
    }

    #[test]
    fn an_address_is_found_whole_and_a_search_in_part() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.keep(&mail("1", "signer1@y.z")).unwrap();
        store.keep(&mail("2", "designer1@y.z")).unwrap();
        let to = Filter {
            to: "Signer1@Y.z".to_owned(),
            ..Filter::default()
        };
        assert_eq!(ids(&store, &to), ["1"]);
        let search = Filter {
            search: "SIGNER1".to_owned(),
            ..Filter::default()
        };
        assert_eq!(ids(&store, &search), ["2", "1"]);
    }

    #[test]
    fn the_newer_half_outlives_a_full_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for id in ["1", "2", "3", "4"] {
            store.keep(&mail(id, "x@y.z")).unwrap();
        }
        store.lock().drop_older_half().unwrap();
        store.keep(&mail("5", "x@y.z")).unwrap();
        assert_eq!(ids(&store, &Filter::default()), ["5", "4", "3"]);
        store.clear().unwrap();
        assert_eq!(ids(&store, &Filter::default()), [""; 0]);
    }
}
