//! Reads and writes inside a write transaction.

use redb::{ReadableTable as _, ReadableTableMetadata as _, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::dead_letter::{DeadLetter, DeadLetterId};
use crate::deduplication::WINDOW_MS;
use crate::event::Event;
use crate::message::MessageId;
use crate::plan::PlanLimits;

use super::{
    BODIES, CLOCK, DEAD_LETTERS, DEDUPLICATION, DEDUPLICATION_EXPIRY, EVENTS, Error, Record,
    SETTINGS,
};

/// The maximum size of the log; older entries are deleted.
const MAX_EVENTS: u64 = 50_000;

/// Expired deduplication keys that each new one deletes; more than one, so that the table shrinks.
const EXPIRED_AT_ONCE: usize = 4;

/// Expired dead letters that each new one deletes; more than one, so that the table shrinks.
const EXPIRED_LETTERS_AT_ONCE: usize = 4;

/// A write transaction.
pub(crate) struct Transaction<'a>(&'a WriteTransaction, PlanLimits);

impl<'a> Transaction<'a> {
    pub(super) fn new(tx: &'a WriteTransaction, limits: PlanLimits) -> Self {
        Self(tx, limits)
    }

    /// Returns the plan's limits.
    pub(crate) fn limits(&self) -> &PlanLimits {
        &self.1
    }

    /// Returns the number of records.
    pub(crate) fn count<T: Record>(&self) -> Result<usize, Error> {
        let count = self.0.open_table(T::TABLE)?.len()?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Returns the record under `key`.
    pub(crate) fn get<T: Record>(&self, key: &str) -> Result<Option<T>, Error> {
        let table = self.0.open_table(T::TABLE)?;
        let found = table.get(key)?;
        Ok(found
            .map(|bytes| serde_json::from_slice(bytes.value()))
            .transpose()?)
    }

    /// Writes a record.
    pub(crate) fn put<T: Record>(&self, key: &str, record: &T) -> Result<(), Error> {
        self.0
            .open_table(T::TABLE)?
            .insert(key, serde_json::to_vec(record)?.as_slice())?;
        Ok(())
    }

    /// Removes a record. Returns whether there was one.
    pub(crate) fn remove<T: Record>(&self, key: &str) -> Result<bool, Error> {
        Ok(self.0.open_table(T::TABLE)?.remove(key)?.is_some())
    }

    /// Returns the body under `key`.
    pub(crate) fn body(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let table = self.0.open_table(BODIES)?;
        let found = table.get(key)?;
        Ok(found.map(|bytes| bytes.value().to_vec()))
    }

    /// Writes a body; an empty one is not stored.
    pub(crate) fn put_body(&self, key: &str, body: &[u8]) -> Result<(), Error> {
        let mut table = self.0.open_table(BODIES)?;
        if body.is_empty() {
            table.remove(key)?;
        } else {
            table.insert(key, body)?;
        }
        Ok(())
    }

    /// Removes a body.
    pub(crate) fn remove_body(&self, key: &str) -> Result<(), Error> {
        self.0.open_table(BODIES)?.remove(key)?;
        Ok(())
    }

    /// Returns the oldest record with its key: for tables whose keys sort by time.
    pub(crate) fn first<T: Record>(&self) -> Result<Option<(String, T)>, Error> {
        let table = self.0.open_table(T::TABLE)?;
        let first = table.first()?;
        first
            .map(|(key, bytes)| {
                let record = serde_json::from_slice(bytes.value())?;
                Ok((key.value().to_owned(), record))
            })
            .transpose()
    }

    /// Returns a setting.
    pub(crate) fn setting<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        let table = self.0.open_table(SETTINGS)?;
        let found = table.get(key)?;
        Ok(found
            .map(|bytes| serde_json::from_slice(bytes.value()))
            .transpose()?)
    }

    /// Writes a setting.
    pub(crate) fn put_setting<T: Serialize>(&self, key: &str, value: &T) -> Result<(), Error> {
        self.0
            .open_table(SETTINGS)?
            .insert(key, serde_json::to_vec(value)?.as_slice())?;
        Ok(())
    }

    /// Adds to the log.
    pub(crate) fn log(&self, event: &Event) -> Result<(), Error> {
        let mut table = self.0.open_table(EVENTS)?;
        let number = table.last()?.map_or(0, |(last, _)| last.value() + 1);
        table.insert(number, serde_json::to_vec(event)?.as_slice())?;
        if let Some(oldest) = number.checked_sub(MAX_EVENTS) {
            table.remove(oldest)?;
        }
        Ok(())
    }

    /// Adds to the dead-letter queue, and deletes expired entries.
    pub(crate) fn put_dead_letter(
        &self,
        letter: &DeadLetter,
        broker_ms: u64,
    ) -> Result<DeadLetterId, Error> {
        self.drop_expired_letters(broker_ms)?;
        let mut table = self.0.open_table(DEAD_LETTERS)?;
        let last = table.last()?.map_or(DeadLetterId(0, 0), |(last, _)| {
            DeadLetterId(last.value().0, last.value().1)
        });
        let id = if letter.failed_ms > last.0 {
            DeadLetterId(letter.failed_ms, 0)
        } else {
            DeadLetterId(last.0, last.1 + 1)
        };
        table.insert((id.0, id.1), serde_json::to_vec(letter)?.as_slice())?;
        Ok(id)
    }

    /// Removes an entry from the dead-letter queue; its body stays. An expired entry does not exist.
    pub(crate) fn take_dead_letter(
        &self,
        id: DeadLetterId,
        broker_ms: u64,
    ) -> Result<Option<DeadLetter>, Error> {
        let mut table = self.0.open_table(DEAD_LETTERS)?;
        let Some(bytes) = table.get((id.0, id.1))?.map(|bytes| bytes.value().to_vec()) else {
            return Ok(None);
        };
        let letter: DeadLetter = serde_json::from_slice(&bytes)?;
        if letter.is_expired(broker_ms) {
            return Ok(None);
        }
        table.remove((id.0, id.1))?;
        Ok(Some(letter))
    }

    fn drop_expired_letters(&self, broker_ms: u64) -> Result<(), Error> {
        let mut table = self.0.open_table(DEAD_LETTERS)?;
        for _ in 0..EXPIRED_LETTERS_AT_ONCE {
            let oldest = table
                .first()?
                .map(|(id, bytes)| (id.value(), bytes.value().to_vec()));
            let Some((id, bytes)) = oldest else { break };
            let letter: DeadLetter = serde_json::from_slice(&bytes)?;
            if !letter.is_expired(broker_ms) {
                break;
            }
            table.remove(id)?;
            self.remove_body(letter.message.id.as_str())?;
        }
        Ok(())
    }

    /// Returns the message that was recently accepted with a deduplication key.
    pub(crate) fn remembered(
        &self,
        key: &[u8],
        broker_ms: u64,
    ) -> Result<Option<MessageId>, Error> {
        let table = self.0.open_table(DEDUPLICATION)?;
        let found = table.get(key)?;
        Ok(found.and_then(|entry| {
            let (id, expires_ms) = entry.value();
            (expires_ms > broker_ms).then(|| MessageId::from(id))
        }))
    }

    /// Stores a deduplication key for the window.
    pub(crate) fn remember(&self, key: &[u8], id: &MessageId, broker_ms: u64) -> Result<(), Error> {
        let mut table = self.0.open_table(DEDUPLICATION)?;
        let mut expiry = self.0.open_table(DEDUPLICATION_EXPIRY)?;
        for _ in 0..EXPIRED_AT_ONCE {
            let expired = expiry
                .first()?
                .map(|(at, _)| (at.value().0, at.value().1.to_vec()));
            let Some((at_ms, old)) = expired.filter(|(at_ms, _)| *at_ms <= broker_ms) else {
                break;
            };
            expiry.remove((at_ms, old.as_slice()))?;
            // A key that was stored again has its own later expiry.
            if table
                .get(old.as_slice())?
                .is_some_and(|entry| entry.value().1 <= broker_ms)
            {
                table.remove(old.as_slice())?;
            }
        }
        let expires_ms = broker_ms + WINDOW_MS;
        table.insert(key, (id.as_str(), expires_ms))?;
        expiry.insert((expires_ms, key), ())?;
        Ok(())
    }

    pub(super) fn stamp(&self, broker_ms: u64) -> Result<(), Error> {
        self.0.open_table(CLOCK)?.insert("broker", broker_ms)?;
        Ok(())
    }
}
