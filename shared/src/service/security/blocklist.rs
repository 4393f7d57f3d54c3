//! The block list: networks whose requests are rejected. Postgres holds it, with reason, author and end. Redis holds a
//! copy, in which the guard looks up an address with one command, for a list of any length.
//!
//! A change is committed first and copied afterwards, from the list's current state, so an uncommitted change never
//! reaches the copy. A lock serializes both steps. From before the commit until the copy is updated, the copy counts as
//! incomplete. If the caller dies in between, the next reconciliation rebuilds the copy from the list. Redis is never
//! called while the audit chain of the change's event is locked.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::event::{Event, EventType, Severity};
use super::{
    BLOCK, BLOCKED_LENGTHS, BLOCKED_PREFIXES, Error, NEXT_LENGTHS, NEXT_PREFIXES, REPLACE,
    UNFINISHED,
};
use crate::base::network::{Network, digits};
use crate::protocol::postgres::{Json, Parameter, Postgres, Row, Transaction, Type, column};
use crate::protocol::upstash::{Command, Invocation, Pipeline, Redis};
use crate::service::key::Family;
use crate::service::page::{self, Cursor, Page};

const PUT: &str = include_str!("sql/put.sql");
const REMOVE: &str =
    "DELETE FROM signtusk.blocked_networks WHERE network = $1::text::cidr RETURNING 1 AS gone";
const LIST: &str = include_str!("sql/list.sql");
const ALL: &str = include_str!("sql/all.sql");
const PRESENT: &str = include_str!("sql/present.sql");

/// Blocks every other change of the list until the transaction ends.
const ONE_AT_A_TIME: &str =
    "SELECT pg_advisory_xact_lock(hashtext('signtusk.blocked_networks'))::text";

/// The number of entries that one request copies: the script stays under a millisecond.
const BATCH: i64 = 200;

/// The field of the copy that counts changes in progress: 0 if the copy is complete. A store that lost its data lacks
/// the field. A copy that was rebuilt meanwhile has counted below zero.
const PENDING_CHANGES: &str = "filling";

/// An entry of the block list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Blocked {
    /// The network in CIDR notation; an address is a network of its own.
    pub cidr: String,
    /// The reason.
    pub reason: String,
    /// The acting user who added the entry; absent if the service added it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When the block ends; without it, the block stays until it is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// When the entry was added.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A new entry of the list.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The network.
    pub network: Network,
    /// The reason, 1 to 500 characters.
    pub reason: &'a str,
    /// The acting user who adds it.
    pub author: Option<&'a str>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// The list in Postgres, and its copy in Redis.
#[derive(Clone, Debug)]
pub struct Blocklist {
    redis: Redis,
    postgres: Postgres,
}

impl Blocklist {
    /// Returns the list of a migrated database.
    #[must_use]
    pub fn new(redis: Redis, postgres: Postgres) -> Self {
        Self { redis, postgres }
    }

    /// Returns a page of the list, newest first, without expired entries.
    pub async fn list(&self, limit: u32, cursor: Option<&Cursor>) -> Result<Page<Blocked>, Error> {
        let micros = cursor.map(Cursor::micros);
        let key = cursor.map(Cursor::key);
        let rows = page::rows(limit);
        let parameters: [Parameter<'_>; 3] = [
            (&micros, Type::INT8),
            (&key, Type::TEXT),
            (&rows, Type::INT8),
        ];
        let rows = self.postgres.query_repeatable(LIST, &parameters).await?;
        let items = rows.iter().map(item).collect::<Result<Vec<_>, Error>>()?;
        Ok(Page::cut(items, limit, |item| {
            Cursor::new(item.created_at, &item.cidr)
        }))
    }

    /// Adds a network to the list, or updates its entry; also removes up to 100 expired entries. The network is blocked
    /// once this returns. Repeating it changes nothing.
    pub async fn put(&self, entry: &Entry<'_>) -> Result<Blocked, Error> {
        let network = entry.network.to_string();
        let expires = entry.expires_at.map(Timestamp::as_microsecond);
        let parameters: [Parameter<'_>; 4] = [
            (&network, Type::TEXT),
            (&entry.reason, Type::TEXT),
            (&entry.author, Type::TEXT),
            (&expires, Type::INT8),
        ];
        let change = self.change().await?;
        self.redis.eval::<i64>(unfinished(1)).await?;
        let rows = change.query(PUT, &parameters).await?;
        let row = rows.first().ok_or(Error::Unreadable)?;
        let listed = item(row)?;
        let Json(over) = column::<Json<Vec<String>>>(row, "over")?;
        let mut changed: Vec<Network> = over.iter().filter_map(|cidr| cidr.parse().ok()).collect();
        changed.push(entry.network);
        list_event(EventType::NetworkBlocked, &network, entry.author)
            .record_with(&change)
            .await?;
        change.commit().await?;
        self.copy_present(&changed).await?;
        Ok(listed)
    }

    /// Removes a network from the list. Succeeds if it is not listed. Networks inside or around it stay.
    pub async fn remove(&self, network: Network, author: Option<&str>) -> Result<(), Error> {
        let cidr = network.to_string();
        let parameters: [Parameter<'_>; 1] = [(&cidr, Type::TEXT)];
        let change = self.change().await?;
        self.redis.eval::<i64>(unfinished(1)).await?;
        let gone = change.query(REMOVE, &parameters).await?;
        if !gone.is_empty() {
            list_event(EventType::NetworkUnblocked, &cidr, author)
                .record_with(&change)
                .await?;
        }
        change.commit().await?;
        self.copy_present(&[network]).await
    }

    /// Returns the command that reads whether the copy is complete: it is if the answer is 0; else call
    /// [`Blocklist::refill`].
    pub(super) fn unfinished_count() -> Command {
        let prefixes = BLOCKED_PREFIXES.key("");
        Command::new("HGET").arg(prefixes).arg(PENDING_CHANGES)
    }

    /// Rebuilds the copy from the list, beside the current one, and returns its number of entries. Entries that only
    /// the current copy has are dropped.
    pub(super) async fn refill(&self) -> Result<usize, Error> {
        let change = self.change().await?;
        let (lengths, prefixes) = (NEXT_LENGTHS.key(""), NEXT_PREFIXES.key(""));
        let empty = Command::new("DEL").arg(&lengths).arg(&prefixes);
        let complete = Command::new("HSET")
            .arg(&prefixes)
            .arg(PENDING_CHANGES)
            .arg(0);
        let begun = Pipeline::new().command(empty).command(complete);
        self.redis.pipeline(begun).await?;
        let (mut after, mut copied) = (None, 0);
        loop {
            let entries = entries_after(&change, after.as_deref()).await?;
            let Some((last, _)) = entries.last() else {
                break;
            };
            after = Some(last.to_string());
            copied += entries.len();
            let copy = copying([&NEXT_LENGTHS, &NEXT_PREFIXES], &entries);
            self.redis.eval::<i64>(copy).await?;
        }
        let replace = REPLACE
            .invoke()
            .key(lengths)
            .key(prefixes)
            .key(BLOCKED_LENGTHS.key(""))
            .key(BLOCKED_PREFIXES.key(""));
        self.redis.eval::<i64>(replace).await?;
        change.commit().await?;
        Ok(copied)
    }

    async fn change(&self) -> Result<Transaction, Error> {
        let change = self.postgres.transaction().await?;
        change.query(ONE_AT_A_TIME, &[]).await?;
        Ok(change)
    }

    /// Copies the list's current entries of these networks, while no other change is in progress.
    async fn copy_present(&self, networks: &[Network]) -> Result<(), Error> {
        let asked: Vec<String> = networks.iter().map(Network::to_string).collect();
        let held = self.change().await?;
        let rows = held.query(PRESENT, &[(&asked, Type::TEXT_ARRAY)]).await?;
        let present = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        let copy = copying([&BLOCKED_LENGTHS, &BLOCKED_PREFIXES], &present);
        let copied = Pipeline::new().script(copy).script(unfinished(-1));
        let mut copied = self.redis.pipeline(copied).await?;
        copied.take::<i64>()?;
        copied.take::<i64>()?;
        Ok(held.commit().await?)
    }
}

/// Counts the start (1) or the end (-1) of a change, if the copy exists: a lost copy stays incomplete.
fn unfinished(by: i8) -> Invocation {
    UNFINISHED
        .invoke()
        .key(BLOCKED_PREFIXES.key(""))
        .arg(PENDING_CHANGES)
        .arg(by)
}

/// Returns the call that copies entries.
fn copying([lengths, prefixes]: [&Family; 2], changes: &[(Network, i64)]) -> Invocation {
    let mut call = BLOCK.invoke().key(lengths.key("")).key(prefixes.key(""));
    for (network, ends) in changes {
        let bits = network.bits();
        let family = if network.address().is_ipv4() { 4 } else { 6 };
        let digits = digits(network.address());
        let prefix = &digits[..usize::from(bits.div_ceil(4))];
        call = call.arg(format!("{family}/{bits}")).arg(prefix).arg(ends);
    }
    call
}

fn list_event(kind: EventType, cidr: &str, author: Option<&str>) -> Event {
    Event {
        id: format!("{kind}:{}", crate::base::id::nonce()),
        kind,
        severity: Severity::Warning,
        identifier: None,
        address: None,
        user_agent: String::new(),
        details: serde_json::json!({ "network": cidr, "author": author }),
        mail: None,
    }
}

/// Returns the entries after this network, as many as fit one request, each with its end.
async fn entries_after(
    change: &Transaction,
    after: Option<&str>,
) -> Result<Vec<(Network, i64)>, Error> {
    let parameters: [Parameter<'_>; 2] = [(&after, Type::TEXT), (&BATCH, Type::INT8)];
    let rows = change.query(ALL, &parameters).await?;
    rows.iter().map(entry).collect()
}

/// Returns a network and the millisecond of its end: 0 for never, -1 if it is no longer listed.
fn entry(row: &Row) -> Result<(Network, i64), Error> {
    let network: String = column(row, "network")?;
    let network = network.parse().map_err(|_| Error::Unreadable)?;
    Ok((network, column(row, "ends")?))
}

fn item(row: &Row) -> Result<Blocked, Error> {
    Ok(column::<Json<Blocked>>(row, "item").map(|Json(item)| item)?)
}
