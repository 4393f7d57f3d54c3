//! The largest record. Strings are bounded by redis-server itself; of all other records the front counts what it has
//! written, and asks for their size after each megabyte.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::command::Command;
use crate::redis::{Pool, Reply};

/// What Upstash says (<https://upstash.com/docs/redis/troubleshooting/max_record_size_exceeded>).
const EXCEEDED: &str = "ERR max single record size exceeded";

/// What redis-server says of a string.
const STRING_EXCEEDED: &[u8] = b"ERR string exceeds maximum allowed size";

/// A record's size is asked for after this many bytes were written to it.
const UNCHECKED: u64 = 1024 * 1024;

/// Records that are counted at the same time.
const MAX_COUNTED: usize = 10_000;

/// What was written to records since their sizes were last asked for.
pub(crate) struct RecordSizes {
    limit: u64,
    written: Mutex<HashMap<Bytes, u64>>,
}

impl RecordSizes {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit,
            written: Mutex::default(),
        }
    }

    /// The setting by which redis-server bounds strings, in scripts too. It takes no less than a megabyte.
    pub(crate) fn setting(&self) -> Command {
        let limit = Bytes::from(self.limit.max(UNCHECKED).to_string());
        let words = ["SET", "proto-max-bulk-len"].map(|word| Bytes::from_static(word.as_bytes()));
        Command::new("CONFIG", [&words[..], &[limit]].concat())
    }

    /// The error line for a command that makes a record larger which is too large already.
    pub(crate) async fn refusal(
        &self,
        keys: &[&Bytes],
        size: u64,
        redis: &Pool,
    ) -> io::Result<Option<String>> {
        let due = self.due(keys, size);
        if due.is_empty() {
            return Ok(None);
        }
        let questions: Vec<Command> = due.iter().cloned().map(usage).collect();
        let sizes = redis.exchange(&questions).await?;
        let exceeding = due.into_iter().zip(sizes).find(
            |(_, size)| matches!(size, Reply::Integer(size) if size.unsigned_abs() > self.limit),
        );
        Ok(exceeding.map(|(key, _)| {
            // It is asked about before the next byte again: it may have become smaller.
            self.counts().insert(key, UNCHECKED);
            EXCEEDED.to_owned()
        }))
    }

    /// What Upstash says in the place of redis-server.
    pub(crate) fn translate(reply: Reply) -> Reply {
        match reply {
            Reply::Error(line) if line.starts_with(STRING_EXCEEDED) => Reply::error(EXCEEDED),
            reply => reply,
        }
    }

    /// Counts what is written, and gives the records to ask about.
    fn due(&self, keys: &[&Bytes], size: u64) -> Vec<Bytes> {
        let step = UNCHECKED.min(self.limit / 2).max(1);
        let mut written = self.counts();
        if written.len() > MAX_COUNTED {
            written.retain(|_, count| *count >= step / 4);
        }
        let mut due = Vec::new();
        for key in keys {
            let count = written.entry((*key).clone()).or_default();
            *count += size;
            if *count >= step {
                due.push((*key).clone());
                *count = 0;
            }
        }
        due
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Bytes, u64>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn usage(key: Bytes) -> Command {
    Command::new("MEMORY", vec![Bytes::from_static(b"USAGE"), key])
}
