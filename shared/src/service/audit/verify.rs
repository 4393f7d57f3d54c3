//! Verification of every chain, of one, or of those of a user, in pages, within a time limit.

use tokio::time::Instant;

use super::Error;
use super::chain::{Broken, Head, Position, Scope, Verdict};
use super::chain_verifier::{ChainVerifier, Rules};
use super::checkpoint_signer::CheckpointSigner;
use super::links::{self, CHAINS, HEAD, LINKS, PAGE, Span, is_full, link};
use super::walk::Walk;
use crate::protocol::postgres::{Json, Parameter, Postgres, Type, column};

/// The progress of a verification.
enum Progress {
    /// It is complete.
    Complete,
    /// It has reached a broken link, or one that was being written.
    Broken(Broken),
    /// The time is used up.
    OutOfTime(Option<Position>),
}

pub(super) async fn verify(
    postgres: &Postgres,
    signer: &CheckpointSigner,
    scope: &Scope,
    reached: Option<Position>,
    deadline: Instant,
) -> Result<Verdict, Error> {
    let scope = &scope.normal();
    let mut verdict = Verdict {
        valid: true,
        events: 0,
        chains: 0,
        first_broken: None,
        unchained: links::unchained(postgres, scope).await?,
        reached: None,
    };
    let rules = Rules {
        signer,
        legacy: links::legacy_columns(postgres).await?,
        deadline,
    };
    let mut from = reached;
    loop {
        let heads = links::heads(postgres, scope, from.as_ref()).await?;
        let is_last = i64::try_from(heads.len()).unwrap_or(CHAINS) < CHAINS;
        let last = heads.last().map(|head| head.chain.clone());
        let progress = match scope {
            Scope::All => {
                // The last page continues to the end of the log: there may be rows of chains that were never begun.
                let through = last.clone().filter(|_| !is_last);
                range(postgres, &mut verdict, rules, heads, through, from).await?
            }
            _ => each(postgres, &mut verdict, rules, heads, from).await?,
        };
        let done = match progress {
            Progress::OutOfTime(reached) => {
                verdict.reached = reached;
                return Ok(verdict);
            }
            Progress::Broken(broken) => {
                if let Some(broken) = second_look(postgres, rules, &broken).await? {
                    verdict.valid = false;
                    verdict.first_broken = Some(broken);
                    return Ok(verdict);
                }
                Some(broken.chain)
            }
            Progress::Complete if is_last => return Ok(verdict),
            Progress::Complete => last,
        };
        from = done.map(Position::all_of);
        if Instant::now() >= deadline {
            verdict.reached = from;
            return Ok(verdict);
        }
    }
}

/// Verifies chains one by one, because they are not adjacent.
async fn each(
    postgres: &Postgres,
    verdict: &mut Verdict,
    rules: Rules<'_>,
    heads: Vec<Head>,
    mut from: Option<Position>,
) -> Result<Progress, Error> {
    for head in heads {
        let through = Some(head.chain.clone());
        let left = from.take().filter(|from| from.chain == head.chain);
        let start = left.unwrap_or_else(|| Position {
            chain: head.chain.clone(),
            sequence: 0,
            hash: String::new(),
        });
        match range(postgres, verdict, rules, vec![head], through, Some(start)).await? {
            Progress::Complete => {}
            progress => return Ok(progress),
        }
    }
    Ok(Progress::Complete)
}

/// Verifies adjacent chains, with all rows in between.
async fn range(
    postgres: &Postgres,
    verdict: &mut Verdict,
    rules: Rules<'_>,
    heads: Vec<Head>,
    through: Option<String>,
    from: Option<Position>,
) -> Result<Progress, Error> {
    let mut span = Span::from(from.as_ref(), through);
    let mut verifier = ChainVerifier::new(heads, from, rules);
    let mut page = links::page(postgres, &span).await?;
    // Each page is verified while the database reads the next one.
    while is_full(&page) {
        span.follow(&page)?;
        let (walked, next) =
            tokio::join!(verifier.walk(verdict, &page), links::page(postgres, &span));
        if let Some(broken) = walked? {
            return Ok(Progress::Broken(broken));
        }
        if Instant::now() >= rules.deadline {
            return Ok(Progress::OutOfTime(verifier.reached()));
        }
        page = next?;
    }
    if let Some(broken) = verifier.walk(verdict, &page).await? {
        return Ok(Progress::Broken(broken));
    }
    Ok(match verifier.end(verdict) {
        Ok(()) => Progress::Complete,
        Err(broken) => Progress::Broken(broken),
    })
}

/// Verifies a chain again in one snapshot: an event that was appended, or deleted by retention, during the
/// verification is not a fault.
async fn second_look(
    postgres: &Postgres,
    rules: Rules<'_>,
    first: &Broken,
) -> Result<Option<Broken>, Error> {
    let transaction = postgres.transaction().await?;
    transaction
        .execute(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            &[],
        )
        .await?;
    let of_chain: [Parameter<'_>; 1] = [(&first.chain, Type::TEXT)];
    let rows = transaction.query(HEAD, &of_chain).await?;
    let Some(row) = rows.first() else {
        return Ok(Some(first.clone()));
    };
    let Json(head) = column::<Json<Head>>(row, "head")?;
    let mut walk = match Walk::begin(head, rules.legacy, rules.signer) {
        Ok(walk) => walk,
        Err(broken) => return Ok(Some(broken)),
    };
    let mut after = -1_i64;
    loop {
        let through = Some(&first.chain);
        let parameters: [Parameter<'_>; 4] = [
            (&first.chain, Type::TEXT),
            (&after, Type::INT8),
            (&through, Type::TEXT),
            (&PAGE, Type::INT8),
        ];
        let rows = transaction.query(LINKS, &parameters).await?;
        for row in &rows {
            let (_, link) = link(row)?;
            if let Err(broken) = walk.step(&link) {
                return Ok(Some(broken));
            }
            after = link.sequence;
        }
        if !is_full(&rows) {
            break;
        }
    }
    transaction.commit().await?;
    Ok(walk.end().err())
}
