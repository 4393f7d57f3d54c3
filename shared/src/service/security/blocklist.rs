//! The block list: networks that may not call. Postgres holds it, with reason, author and end; Redis has a copy that
//! the guard looks an address up in, in one command however long the list is.
//!
//! A change is committed first and copied afterwards, as the list then has it: what is not committed never reaches the
//! copy. Both steps are taken one caller at a time. From before the commit until the copy is made the copy counts as
//! incomplete, so that a change whose caller dies in between is made good by the next upkeep, which makes the copy anew
//! from the list alone. Redis is never called while the audit chain of the change's event is held.

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

/// Holds back every other change of the list until the transaction is over.
const ONE_AT_A_TIME: &str =
    "SELECT pg_advisory_xact_lock(hashtext('signtusk.blocked_networks'))::text";

/// Entries that are copied in one request: the script that takes them over stays under a millisecond.
const BATCH: i64 = 200;

/// The field of the copy that counts the changes that are not copied yet: 0 where it is whole. A store that was lost
/// since has none, and one that was made anew meanwhile has counted below zero.
const FILLING: &str = "filling";

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

/// What is put on the list.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The network.
    pub network: Network,
    /// Why, in 1 to 500 characters.
    pub reason: &'a str,
    /// Who says so.
    pub author: Option<&'a str>,
    /// Until when.
    pub expires_at: Option<Timestamp>,
}

/// The list, in Postgres and as a copy in Redis.
#[derive(Clone, Debug)]
pub struct Blocklist {
    redis: Redis,
    postgres: Postgres,
}

impl Blocklist {
    /// The list of a migrated database.
    #[must_use]
    pub fn new(redis: Redis, postgres: Postgres) -> Self {
        Self { redis, postgres }
    }

    /// A page of the list, newest first, without what is over.
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

    /// Puts a network on the list, or changes what it says of it; entries that are over go at this opportunity, 100 at
    /// a time. Blocked once this returns. Repeated, it changes nothing more.
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

    /// Takes a network off the list. What is not there is gone already; networks within it or around it stay.
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

    /// What asks whether the copy is whole: it is, if the answer is 0; else [`Blocklist::refill`] is due.
    pub(super) fn unfinished_count() -> Command {
        let prefixes = BLOCKED_PREFIXES.key("");
        Command::new("HGET").arg(prefixes).arg(FILLING)
    }

    /// Makes the copy anew from the list, beside the present one, and says how many entries it has. What is in the
    /// present one alone is gone then.
    pub(super) async fn refill(&self) -> Result<usize, Error> {
        let change = self.change().await?;
        let (lengths, prefixes) = (NEXT_LENGTHS.key(""), NEXT_PREFIXES.key(""));
        let empty = Command::new("DEL").arg(&lengths).arg(&prefixes);
        let whole = Command::new("HSET").arg(&prefixes).arg(FILLING).arg(0);
        let begun = Pipeline::new().command(empty).command(whole);
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

    /// Copies what the list has of these networks now, while no other change is under way.
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

/// Counts a change whose copy is begun (1) or made (-1), where the copy is there at all: one that was lost stays
/// incomplete.
fn unfinished(by: i8) -> Invocation {
    UNFINISHED
        .invoke()
        .key(BLOCKED_PREFIXES.key(""))
        .arg(FILLING)
        .arg(by)
}

/// Takes entries over into a copy.
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

/// The entries after this network, so many as fit into one request, each with its end.
async fn entries_after(
    change: &Transaction,
    after: Option<&str>,
) -> Result<Vec<(Network, i64)>, Error> {
    let parameters: [Parameter<'_>; 2] = [(&after, Type::TEXT), (&BATCH, Type::INT8)];
    let rows = change.query(ALL, &parameters).await?;
    rows.iter().map(entry).collect()
}

/// A network and the millisecond when it ends: 0 for never, -1 where it is not on the list any more.
fn entry(row: &Row) -> Result<(Network, i64), Error> {
    let network: String = column(row, "network")?;
    let network = network.parse().map_err(|_| Error::Unreadable)?;
    Ok((network, column(row, "ends")?))
}

fn item(row: &Row) -> Result<Blocked, Error> {
    Ok(column::<Json<Blocked>>(row, "item").map(|Json(item)| item)?)
}
