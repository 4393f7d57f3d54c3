//! The largest record. redis-server itself limits strings. For all other records the front counts the written bytes,
//! and queries their size after each megabyte.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::command::Command;
use crate::redis::{Pool, Reply};

/// Upstash's error (<https://upstash.com/docs/redis/troubleshooting/max_record_size_exceeded>).
const EXCEEDED: &str = "ERR max single record size exceeded";

/// redis-server's error for a string.
const STRING_EXCEEDED: &[u8] = b"ERR string exceeds maximum allowed size";

/// The bytes written to a record before its size is queried.
const UNCHECKED: u64 = 1024 * 1024;

/// The maximum number of counted records.
const MAX_COUNTED: usize = 10_000;

/// The bytes written to records since their sizes were last queried.
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

    /// Returns the setting by which redis-server limits strings, also in scripts. Its minimum is a megabyte.
    pub(crate) fn setting(&self) -> Command {
        let limit = Bytes::from(self.limit.max(UNCHECKED).to_string());
        let words = ["SET", "proto-max-bulk-len"].map(|word| Bytes::from_static(word.as_bytes()));
        Command::new("CONFIG", [&words[..], &[limit]].concat())
    }

    /// Returns the error line for a command that enlarges a record which is already too large.
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
            // Its size is queried before the next write: it may have shrunk.
            self.counts().insert(key, UNCHECKED);
            EXCEEDED.to_owned()
        }))
    }

    /// Replaces redis-server's error by Upstash's.
    pub(crate) fn translate(reply: Reply) -> Reply {
        match reply {
            Reply::Error(line) if line.starts_with(STRING_EXCEEDED) => Reply::error(EXCEEDED),
            reply => reply,
        }
    }

    /// Counts the written bytes, and returns the records to query.
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
