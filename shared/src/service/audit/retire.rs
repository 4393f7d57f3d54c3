//! Retention: deletes the oldest events of a chain, and replaces them with a signed checkpoint.

use jiff::Timestamp;
use serde_json::json;

use super::Error;
use super::chain::{Broken, Head};
use super::checkpoint_signer::CheckpointSigner;
use super::links::{HEAD, LINKS, legacy_columns, link};
use super::walk::Walk;
use crate::protocol::postgres::{Json, Parameter, Postgres, Transaction, Type, column};

const OLD: &str = include_str!("old.sql");

/// The number of events of one chain that are deleted at a time.
const EVENTS: i64 = 1000;

/// The number of chains that are read at a time.
const CHAINS: i64 = 100;

/// What retention can do with a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retirable {
    /// No event may be deleted.
    Nothing,
    /// The chain is broken there, and a broken part is evidence.
    Broken(Broken),
    /// Events up to here may be deleted, with this checkpoint.
    Ready(Checkpoint),
}

/// A signed checkpoint. It replaces verified events that may be deleted, and the chain continues from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    chain: String,
    sequence: i64,
    text: String,
    signature: String,
}

pub(super) async fn old_chains(
    postgres: &Postgres,
    before: Timestamp,
    after: &str,
) -> Result<Vec<String>, Error> {
    let before = before.as_microsecond();
    let parameters: [Parameter<'_>; 3] = [
        (&before, Type::INT8),
        (&after, Type::TEXT),
        (&CHAINS, Type::INT8),
    ];
    let rows = postgres.query_repeatable(OLD, &parameters).await?;
    let chains = rows.iter().map(|row| column(row, "chain"));
    Ok(chains.collect::<Result<_, _>>()?)
}

pub(super) async fn retirable(
    postgres: &Postgres,
    signer: &CheckpointSigner,
    chain: &str,
    before: Timestamp,
) -> Result<Retirable, Error> {
    let Some(head) = head(postgres, chain).await? else {
        return Ok(Retirable::Nothing);
    };
    let first = head.retired_sequence;
    let mut walk = match Walk::begin(head, legacy_columns(postgres).await?, signer) {
        Ok(walk) => walk,
        Err(broken) => return Ok(Retirable::Broken(broken)),
    };
    let through = Some(chain);
    let parameters: [Parameter<'_>; 4] = [
        (&chain, Type::TEXT),
        (&first, Type::INT8),
        (&through, Type::TEXT),
        (&EVENTS, Type::INT8),
    ];
    let rows = postgres.query_repeatable(LINKS, &parameters).await?;
    for row in &rows {
        let (_, link) = link(row)?;
        if link
            .recorded_micros
            .is_none_or(|at| at >= before.as_microsecond())
        {
            break;
        }
        if let Err(broken) = walk.step(&link) {
            return Ok(Retirable::Broken(broken));
        }
    }
    if walk.sequence() == first {
        return Ok(Retirable::Nothing);
    }
    Ok(Retirable::Ready(Checkpoint::of(signer, &walk)))
}

async fn head(postgres: &Postgres, chain: &str) -> Result<Option<Head>, Error> {
    let rows = postgres
        .query_repeatable(HEAD, &[(&chain, Type::TEXT)])
        .await?;
    let head = rows
        .first()
        .map(|row| column::<Json<Head>>(row, "head").map(|Json(head)| head));
    Ok(head.transpose()?)
}

impl Checkpoint {
    fn of(signer: &CheckpointSigner, walk: &Walk) -> Self {
        let (chain, sequence) = (walk.chain(), walk.sequence());
        // Members in canonical order, and values with a single spelling.
        let text = json!({ "chain": chain, "hash": walk.hash(), "sequence": sequence }).to_string();
        Self {
            chain: chain.to_owned(),
            sequence,
            signature: signer.sign(&text),
            text,
        }
    }

    /// Deletes the events and stores this checkpoint, in the caller's transaction; returns the number of events. The
    /// database checks the retention itself, and rejects younger events.
    pub async fn put(&self, transaction: &Transaction) -> Result<u64, Error> {
        let sql = "SELECT signtusk.retire_audit_events($1, $2, $3, $4) AS removed";
        let parameters: [Parameter<'_>; 4] = [
            (&self.chain, Type::TEXT),
            (&self.sequence, Type::INT8),
            (&self.text, Type::TEXT),
            (&self.signature, Type::TEXT),
        ];
        let rows = transaction.query(sql, &parameters).await?;
        let removed: i64 = column(rows.first().ok_or(Error::Unreadable)?, "removed")?;
        Ok(u64::try_from(removed).unwrap_or_default())
    }
}
