//! The store of mails: one JSON line each in an append-only file, and an index in memory.
//!
//! It holds at most [`MAX_MAILS`] mails and about [`MAX_BYTES`]. At either limit, the older half is deleted.

mod idempotency;
mod mail_file;

use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

pub(crate) use self::idempotency::Taken;
use self::mail_file::MailFile;
use crate::mail::Mail;

/// The maximum number of stored mails.
const MAX_MAILS: usize = 50_000;

/// The size of the file at which its older half is deleted.
const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// The mails, shared by the endpoints and the mailbox.
#[derive(Debug)]
pub(crate) struct Store(Mutex<MailFile>);

/// A filter of mails.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Only mails to this address, ignoring case; empty is all.
    pub(crate) to: String,
    /// Only mails with this text in a recipient's address, ignoring case; empty is all.
    pub(crate) search: String,
}

impl Store {
    /// Opens or creates the file in `folder`. A line that a crash left unfinished is truncated.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join("mails.jsonl");
        Ok(Self(Mutex::new(MailFile::open(path)?)))
    }

    /// Appends a mail, with the hash of the request for its idempotency key.
    pub(crate) fn keep(&self, mail: &Mail, payload: Option<&str>) -> io::Result<()> {
        let mut mails = self.lock();
        mails.append(mail, payload)?;
        if mails.entries.len() > MAX_MAILS || mails.end > MAX_BYTES {
            mails.drop_older_half()?;
        }
        Ok(())
    }

    /// Returns the mails that match `filter`, newest first, at most `limit`.
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

    /// Returns the mail with this id.
    pub(crate) fn get(&self, id: &str) -> io::Result<Option<Mail>> {
        let mails = self.lock();
        let entry = mails.entries.iter().rev().find(|entry| entry.id == id);
        entry.map(|entry| mails.read(entry)).transpose()
    }

    /// Returns the request of an idempotency key at `now`.
    pub(crate) fn taken(&self, key: &str, now: Timestamp) -> Option<Taken> {
        self.lock().keys.get(key, now)
    }

    /// Deletes every mail and every idempotency key.
    pub(crate) fn clear(&self) -> io::Result<()> {
        let mut mails = self.lock();
        mails.clear()
    }

    /// Returns a number that changes with the mails.
    pub(crate) fn generation(&self) -> u64 {
        self.lock().generation
    }

    fn lock(&self) -> MutexGuard<'_, MailFile> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{Filter, Store};
    use crate::clock;
    use crate::mail::{Mail, Provider};

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
            provider: Provider::Resend,
            tags: Vec::new(),
            configuration_set: None,
            idempotency_key: Some(format!("key {id}")),
            at: clock::now(),
        }
    }

    fn ids(store: &Store, filter: &Filter) -> Vec<String> {
        let mails = store.list(filter, 10).unwrap();
        mails.into_iter().map(|mail| mail.id).collect()
    }

    #[test]
    fn mails_survive_a_restart_and_a_truncated_line_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.keep(&mail("1", "x@y.z"), None).unwrap();
        store.keep(&mail("2", "X@y.z"), None).unwrap();
        drop(store);
        let path = folder.path().join("mails.jsonl");
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(b"{\"id\":\"3\",").unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.keep(&mail("4", "other@y.z"), None).unwrap();
        assert_eq!(ids(&store, &Filter::default()), ["4", "2", "1"]);
        assert_eq!(store.get("2").unwrap().unwrap().text, "ü");
        let reopened = Store::open(folder.path()).unwrap();
        assert_eq!(ids(&reopened, &Filter::default()), ["4", "2", "1"]);
    }

    #[test]
    fn idempotency_key_survives_a_restart_and_is_removed_with_its_mail() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for id in ["1", "2"] {
            store.keep(&mail(id, "x@y.z"), Some("payload")).unwrap();
        }
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        let taken = store.taken("key 1", clock::now()).unwrap();
        assert_eq!(
            (taken.payload.as_str(), &taken.ids[..]),
            ("payload", &["1".to_owned()][..])
        );
        store.lock().drop_older_half().unwrap();
        assert_eq!(store.taken("key 1", clock::now()), None);
        assert!(store.taken("key 2", clock::now()).is_some());
        store.clear().unwrap();
        assert_eq!(store.taken("key 2", clock::now()), None);
    }

    #[test]
    fn address_filter_matches_exactly_and_search_matches_parts() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.keep(&mail("1", "signer1@y.z"), None).unwrap();
        store.keep(&mail("2", "designer1@y.z"), None).unwrap();
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
    fn newer_half_is_kept_when_the_file_is_full() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for id in ["1", "2", "3", "4"] {
            store.keep(&mail(id, "x@y.z"), None).unwrap();
        }
        store.lock().drop_older_half().unwrap();
        store.keep(&mail("5", "x@y.z"), None).unwrap();
        assert_eq!(ids(&store, &Filter::default()), ["5", "4", "3"]);
        store.clear().unwrap();
        assert_eq!(ids(&store, &Filter::default()), [""; 0]);
    }
}
