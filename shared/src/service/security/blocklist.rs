//! The block list: networks that may not call. Postgres holds it, with reason, author and end; Redis has a copy that
//! the guard looks an address up in, in one command however long the list is.
//!
//! Changes go one at a time, and each reaches the copy before it is committed: the copy sees them in the order of the
//! list. One that then is not committed was answered with an error; done again, it makes both the same.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::event::{Event, EventType, Severity};
use super::{BLOCK, BLOCKED_LENGTHS, BLOCKED_PREFIXES, Error};
use crate::base::network::{Network, digits};
use crate::protocol::postgres::{Json, Parameter, Postgres, Row, Transaction, Type, column};
use crate::protocol::upstash::{Command, Redis};
use crate::service::page::{self, Cursor, Page};

const PUT: &str = include_str!("sql/put.sql");
const REMOVE: &str =
    "DELETE FROM signtusk.blocked_networks WHERE network = $1::text::cidr RETURNING 1 AS gone";
const LIST: &str = include_str!("sql/list.sql");
const ALL: &str = include_str!("sql/all.sql");

/// Holds back every other change of the list until the transaction is over.
const ONE_AT_A_TIME: &str =
    "SELECT pg_advisory_xact_lock(hashtext('signtusk.blocked_networks'))::text";

/// Entries that are copied in one request: the script that takes them over stays under a millisecond.
const PORTION: i64 = 200;

/// The field of the copy that counts the fillings that are not over: 0 where it is whole. A store that was lost since
/// has none, and one that was lost meanwhile has counted below zero.
const FILLING: &str = "filling";

/// An entry of the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Blocked {
    /// The network, in CIDR notation; one address is one, too.
    pub cidr: String,
    /// Why.
    pub reason: String,
    /// Who put it there: the acting user; none where it was the service itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Until when; without one, until it is taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// Since when.
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
        let rows = change.query(PUT, &parameters).await?;
        let row = rows.first().ok_or(Error::Unreadable)?;
        let listed = item(row)?;
        let Json(over) = column::<Json<Vec<String>>>(row, "over")?;
        let over = over.iter().filter_map(|cidr| cidr.parse().ok());
        let ends = entry.expires_at.map_or(0, Timestamp::as_millisecond);
        let mut changes: Vec<(Network, i64)> = over.map(|network| (network, GONE)).collect();
        changes.push((entry.network, ends));
        said(EventType::NetworkBlocked, &network, entry.author)
            .record_with(&change)
            .await?;
        self.copy(&changes).await?;
        change.commit().await?;
        Ok(listed)
    }

    /// Takes a network off the list. What is not there is gone already; networks within it or around it stay.
    pub async fn remove(&self, network: Network, author: Option<&str>) -> Result<(), Error> {
        let cidr = network.to_string();
        let parameters: [Parameter<'_>; 1] = [(&cidr, Type::TEXT)];
        let change = self.change().await?;
        let gone = change.query(REMOVE, &parameters).await?;
        if !gone.is_empty() {
            said(EventType::NetworkUnblocked, &cidr, author)
                .record_with(&change)
                .await?;
        }
        self.copy(&[(network, GONE)]).await?;
        Ok(change.commit().await?)
    }

    /// What asks whether the copy is whole: it is, if the answer is 0; else [`Blocklist::refill`] is due.
    pub(super) fn standing() -> Command {
        let prefixes = BLOCKED_PREFIXES.key("");
        Command::new("HGET").arg(prefixes).arg(FILLING)
    }

    /// Copies the whole list again, and says how many entries that were.
    pub(super) async fn refill(&self) -> Result<usize, Error> {
        let change = self.change().await?;
        let prefixes = BLOCKED_PREFIXES.key("");
        let begun = Command::new("HSET").arg(&prefixes).arg(FILLING).arg(1);
        self.redis.run::<i64>(begun.repeatable()).await?;
        let (mut after, mut copied) = (None, 0);
        loop {
            let entries = entries_after(&change, after.as_deref()).await?;
            let Some((last, _)) = entries.last() else {
                break;
            };
            after = Some(last.to_string());
            copied += entries.len();
            self.copy(&entries).await?;
        }
        let over = Command::new("HINCRBY").arg(prefixes).arg(FILLING).arg(-1);
        self.redis.run::<i64>(over).await?;
        change.commit().await?;
        Ok(copied)
    }

    async fn change(&self) -> Result<Transaction, Error> {
        let change = self.postgres.transaction().await?;
        change.query(ONE_AT_A_TIME, &[]).await?;
        Ok(change)
    }

    async fn copy(&self, changes: &[(Network, i64)]) -> Result<(), Error> {
        let mut call = BLOCK
            .invoke()
            .key(BLOCKED_LENGTHS.key(""))
            .key(BLOCKED_PREFIXES.key(""));
        for (network, ends) in changes {
            let bits = network.bits();
            let family = if network.address().is_ipv4() { 4 } else { 6 };
            let digits = digits(network.address());
            let prefix = &digits[..usize::from(bits.div_ceil(4))];
            call = call.arg(format!("{family}/{bits}")).arg(prefix).arg(ends);
        }
        Ok(self.redis.eval(call).await?)
    }
}

fn said(kind: EventType, cidr: &str, author: Option<&str>) -> Event {
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
    let parameters: [Parameter<'_>; 2] = [(&after, Type::TEXT), (&PORTION, Type::INT8)];
    let rows = change.query(ALL, &parameters).await?;
    rows.iter()
        .map(|row| {
            let network: String = column(row, "network")?;
            let network = network.parse().map_err(|_| Error::Unreadable)?;
            Ok((network, column(row, "ends")?))
        })
        .collect()
}

/// What stands for the end of an entry that is not there any more.
const GONE: i64 = -1;

fn item(row: &Row) -> Result<Blocked, Error> {
    Ok(column::<Json<Blocked>>(row, "item").map(|Json(item)| item)?)
}
