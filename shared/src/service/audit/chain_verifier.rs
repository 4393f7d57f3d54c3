//! Verifies several chains, in the order in which the database returns their events.

use tokio::time::Instant;

use super::Error;
use super::chain::{Broken, Head, Kind, LegacyColumns, Link, Position, Verdict};
use super::checkpoint_signer::CheckpointSigner;
use super::links::link;
use super::walk::Walk;
use crate::protocol::postgres::Row;

/// The number of events that are verified between two polls of the connection.
const BATCH: usize = 50;

/// The parameters of a verification.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) signer: &'a CheckpointSigner,
    pub(super) legacy: LegacyColumns,
    pub(super) deadline: Instant,
}

/// A verification of several chains in order.
pub(super) struct ChainVerifier<'a> {
    rules: Rules<'a>,
    waiting: std::vec::IntoIter<Head>,
    walk: Option<Walk>,
}

impl<'a> ChainVerifier<'a> {
    pub(super) fn new(heads: Vec<Head>, from: Option<Position>, rules: Rules<'a>) -> Self {
        let mut waiting = heads.into_iter();
        let left = from.filter(|from| {
            let first = waiting.as_slice().first();
            from.sequence > 0 && first.is_some_and(|head| head.chain == from.chain)
        });
        let walk = left.and_then(|from| {
            let head = waiting.next()?;
            Some(Walk::resume(head, rules.legacy, from.sequence, from.hash))
        });
        Self {
            rules,
            waiting,
            walk,
        }
    }

    /// Verifies a page, up to a broken link, with pauses in which the connection receives the next page.
    pub(super) async fn walk(
        &mut self,
        verdict: &mut Verdict,
        page: &[Row],
    ) -> Result<Option<Broken>, Error> {
        for some in page.chunks(BATCH) {
            for row in some {
                let (chain, link) = link(row)?;
                if let Err(broken) = self.step(verdict, chain, &link) {
                    return Ok(Some(broken));
                }
            }
            tokio::task::yield_now().await;
        }
        Ok(None)
    }

    /// Verifies one event, after the chains before its own have ended.
    fn step(&mut self, verdict: &mut Verdict, chain: &str, link: &Link<'_>) -> Result<(), Broken> {
        let never_begun = || Broken {
            chain: chain.to_owned(),
            sequence: link.sequence,
            event_id: link.event_id.map(ToOwned::to_owned),
            kind: Kind::Unexpected,
            detail: "its chain was never begun".to_owned(),
        };
        while self.walk.as_ref().is_none_or(|walk| walk.chain() != chain) {
            if let Some(done) = self.walk.take() {
                verdict.chains += 1;
                done.end()?;
            }
            if !self
                .waiting
                .as_slice()
                .iter()
                .any(|head| head.chain == chain)
            {
                return Err(never_begun());
            }
            let head = self.waiting.next().ok_or_else(never_begun)?;
            self.walk = Some(Walk::begin(head, self.rules.legacy, self.rules.signer)?);
        }
        self.walk.as_mut().ok_or_else(never_begun)?.step(link)?;
        verdict.events += 1;
        Ok(())
    }

    /// Ends the verification, including chains without rows.
    pub(super) fn end(self, verdict: &mut Verdict) -> Result<(), Broken> {
        if let Some(walk) = self.walk {
            verdict.chains += 1;
            walk.end()?;
        }
        for head in self.waiting {
            verdict.chains += 1;
            Walk::begin(head, self.rules.legacy, self.rules.signer)?.end()?;
        }
        Ok(())
    }

    pub(super) fn reached(&self) -> Option<Position> {
        self.walk.as_ref().map(|walk| Position {
            chain: walk.chain().to_owned(),
            sequence: walk.sequence(),
            hash: walk.hash().to_owned(),
        })
    }
}
