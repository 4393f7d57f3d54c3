//! Reads the state at the last commit.

use std::ops::ControlFlow;

use redb::ReadTransaction;
use serde::de::DeserializeOwned;

use crate::dead_letter::{DeadLetter, DeadLetterId};
use crate::event::Event;

use super::{BODIES, CLOCK, DEAD_LETTERS, EVENTS, Error, Record, SETTINGS};

/// The order of a listing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Order {
    /// Oldest first.
    EarliestFirst,
    /// Newest first.
    #[default]
    LatestFirst,
}

/// The state at one commit.
pub(crate) struct Snapshot(ReadTransaction);

impl Snapshot {
    pub(super) fn new(tx: ReadTransaction) -> Self {
        Self(tx)
    }

    /// Returns the record under `key`.
    pub(crate) fn get<T: Record>(&self, key: &str) -> Result<Option<T>, Error> {
        let found = self.0.open_table(T::TABLE)?.get(key)?;
        Ok(found
            .map(|bytes| serde_json::from_slice(bytes.value()))
            .transpose()?)
    }

    /// Visits every record, in the order of keys, until `visit` breaks. One record is in memory at a time.
    pub(crate) fn each<T: Record>(
        &self,
        mut visit: impl FnMut(&str, T) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        for entry in self.0.open_table(T::TABLE)?.range::<&str>(..)? {
            let (key, bytes) = entry?;
            if visit(key.value(), serde_json::from_slice(bytes.value())?).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Returns every record with its key: for tables that stay small.
    pub(crate) fn all<T: Record>(&self) -> Result<Vec<(String, T)>, Error> {
        let mut all = Vec::new();
        self.each(|key, record| {
            all.push((key.to_owned(), record));
            ControlFlow::Continue(())
        })?;
        Ok(all)
    }

    /// Returns the body under `key`; none if it is empty.
    pub(crate) fn body(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self
            .0
            .open_table(BODIES)?
            .get(key)?
            .map(|bytes| bytes.value().to_vec()))
    }

    /// Returns a setting.
    pub(crate) fn setting<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        let found = self.0.open_table(SETTINGS)?.get(key)?;
        Ok(found
            .map(|bytes| serde_json::from_slice(bytes.value()))
            .transpose()?)
    }

    /// Returns broker time at the last commit.
    pub(crate) fn broker_ms(&self) -> Result<u64, Error> {
        Ok(self
            .0
            .open_table(CLOCK)?
            .get("broker")?
            .map_or(0, |at| at.value()))
    }

    /// Visits the log after `cursor`, until `visit` breaks. Entries without the text `mentions` are skipped unparsed:
    /// most requests concern one message.
    pub(crate) fn events(
        &self,
        order: Order,
        cursor: Option<u64>,
        mentions: Option<&str>,
        mut visit: impl FnMut(u64, Event) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let table = self.0.open_table(EVENTS)?;
        let mut range = match (order, cursor) {
            (Order::EarliestFirst, Some(after)) => table.range(after.saturating_add(1)..)?,
            (Order::LatestFirst, Some(before)) => table.range(..before)?,
            (_, None) => table.range::<u64>(..)?,
        };
        let mut next = move || {
            if order == Order::EarliestFirst {
                range.next()
            } else {
                range.next_back()
            }
        };
        while let Some(entry) = next() {
            let (number, bytes) = entry?;
            let mentioned =
                |text: &str| str::from_utf8(bytes.value()).is_ok_and(|entry| entry.contains(text));
            if !mentions.is_none_or(mentioned) {
                continue;
            }
            if visit(number.value(), serde_json::from_slice(bytes.value())?).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Returns an entry of the dead-letter queue, unless it has expired.
    pub(crate) fn dead_letter(
        &self,
        id: DeadLetterId,
        broker_ms: u64,
    ) -> Result<Option<DeadLetter>, Error> {
        let found = self.0.open_table(DEAD_LETTERS)?.get((id.0, id.1))?;
        let letter: Option<DeadLetter> = found
            .map(|bytes| serde_json::from_slice(bytes.value()))
            .transpose()?;
        Ok(letter.filter(|letter| !letter.is_expired(broker_ms)))
    }

    /// Visits the dead-letter queue after `cursor`, without expired entries, until `visit` breaks.
    pub(crate) fn dead_letters(
        &self,
        order: Order,
        cursor: Option<DeadLetterId>,
        broker_ms: u64,
        mut visit: impl FnMut(DeadLetterId, DeadLetter) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let table = self.0.open_table(DEAD_LETTERS)?;
        let mut range = match (order, cursor) {
            (Order::EarliestFirst, Some(DeadLetterId(ms, n))) => {
                table.range((ms, n.saturating_add(1))..)?
            }
            (Order::LatestFirst, Some(DeadLetterId(ms, n))) => table.range(..(ms, n))?,
            (_, None) => table.range::<(u64, u64)>(..)?,
        };
        let mut next = move || {
            if order == Order::EarliestFirst {
                range.next()
            } else {
                range.next_back()
            }
        };
        while let Some(entry) = next() {
            let (id, bytes) = entry?;
            let id = DeadLetterId(id.value().0, id.value().1);
            let letter: DeadLetter = serde_json::from_slice(bytes.value())?;
            if letter.is_expired(broker_ms) {
                continue;
            }
            if visit(id, letter).is_break() {
                break;
            }
        }
        Ok(())
    }
}
