//! Verifying: every chain, one, or those of a user, in pages, within the time there is.

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::seal::Seal;
use super::walk::{Broken, Head, Kind, Link, Narrow, Walk};
use super::{Audit, Error};
use crate::protocol::postgres::{Json, Parameter, Row, Type, column};

const HEADS: &str = include_str!("heads.sql");
const LINKS: &str = include_str!("links.sql");

/// One chain's end.
pub(super) const HEAD: &str =
    "SELECT to_json(chained) AS head FROM signtusk.audit_chains AS chained WHERE chain = $1";

/// Chains that are begun at a time.
const CHAINS: i64 = 200;

/// Events that are read at a time; two pages of them are held in memory.
const PAGE: i64 = 1000;

/// Events that are walked along between two looks at what the database has sent.
const STRIDE: usize = 50;

/// Rows from before the chain are counted up to here.
const MOST_UNCHAINED: i64 = 100_000;

/// What is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every chain.
    All,
    /// The chain of a signing request.
    Request(String),
    /// Every chain in which a user did something.
    User(String),
}

/// A place that was reached: all before it is in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// The chain.
    pub chain: String,
    /// The last event of it that was seen; 0 if it is not begun, and the highest number if it is done.
    pub sequence: i64,
    /// That event's hash.
    pub hash: String,
}

/// What verifying came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Whether every link that was looked at is in order.
    pub valid: bool,
    /// Events that were looked at.
    pub events: u64,
    /// Chains that were looked at.
    pub chains: u64,
    /// The first broken link, in the order of chains and places.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_broken: Option<Broken>,
    /// Rows from before the chain, which nothing proves; counted up to 100,000.
    pub unchained: u64,
    /// Where to go on, if the time was up.
    #[serde(skip)]
    pub reached: Option<Reached>,
}

/// Which rows are read next, in the order of chain and place.
struct Span {
    chain: String,
    sequence: i64,
    through: Option<String>,
}

impl Span {
    /// From a place on, or from the beginning.
    fn from(reached: Option<&Reached>, through: Option<String>) -> Self {
        Self {
            chain: reached.map(|from| from.chain.clone()).unwrap_or_default(),
            // A row whose place was set to nought stands before the first one.
            sequence: reached
                .map(|from| from.sequence)
                .filter(|sequence| *sequence > 0)
                .unwrap_or(-1),
            through,
        }
    }

    /// What comes after a page.
    fn follow(&mut self, page: &[Row]) -> Result<(), Error> {
        if let Some(last) = page.last() {
            column::<&str>(last, "chain")?.clone_into(&mut self.chain);
            self.sequence = column(last, "sequence")?;
        }
        Ok(())
    }
}

/// What a walk needs to know.
#[derive(Clone, Copy)]
struct Rules<'a> {
    seal: &'a Seal,
    narrow: Narrow,
    deadline: Instant,
}

/// How far a walk came.
enum Came {
    /// To its end.
    Through,
    /// To a link that is broken, or was being written.
    Upon(Broken),
    /// To the end of the time.
    Short(Option<Reached>),
}

impl Audit {
    /// Verifies what `scope` says, from `reached` on, until `deadline`.
    pub async fn verify(
        &self,
        seal: &Seal,
        scope: &Scope,
        reached: Option<Reached>,
        deadline: Instant,
    ) -> Result<Verdict, Error> {
        let mut verdict = Verdict {
            valid: true,
            events: 0,
            chains: 0,
            first_broken: None,
            unchained: self.unchained(scope).await?,
            reached: None,
        };
        let rules = Rules {
            seal,
            narrow: self.narrow().await?,
            deadline,
        };
        let mut from = reached;
        loop {
            let heads = self.heads(scope, from.as_ref()).await?;
            let is_last = i64::try_from(heads.len()).unwrap_or(CHAINS) < CHAINS;
            let last = heads.last().map(|head| head.chain.clone());
            let came = match scope {
                Scope::All => {
                    // The last page goes on to the end of the log: there may be chains that were never begun.
                    let through = last.clone().filter(|_| !is_last);
                    self.range(&mut verdict, rules, heads, through, from)
                        .await?
                }
                _ => self.each(&mut verdict, rules, heads, from).await?,
            };
            let done = match came {
                Came::Short(reached) => {
                    verdict.reached = reached;
                    return Ok(verdict);
                }
                Came::Upon(broken) => {
                    if let Some(broken) = self.second_look(rules, &broken).await? {
                        verdict.valid = false;
                        verdict.first_broken = Some(broken);
                        return Ok(verdict);
                    }
                    Some(broken.chain)
                }
                Came::Through if is_last => return Ok(verdict),
                Came::Through => last,
            };
            from = done.map(Reached::all_of);
            if Instant::now() >= deadline {
                verdict.reached = from;
                return Ok(verdict);
            }
        }
    }

    /// Chains one by one, for those that do not lie side by side.
    async fn each(
        &self,
        verdict: &mut Verdict,
        rules: Rules<'_>,
        heads: Vec<Head>,
        mut from: Option<Reached>,
    ) -> Result<Came, Error> {
        for head in heads {
            let through = Some(head.chain.clone());
            let left = from.take().filter(|from| from.chain == head.chain);
            let start = left.unwrap_or_else(|| Reached {
                chain: head.chain.clone(),
                sequence: 0,
                hash: String::new(),
            });
            match self
                .range(verdict, rules, vec![head], through, Some(start))
                .await?
            {
                Came::Through => {}
                came => return Ok(came),
            }
        }
        Ok(Came::Through)
    }

    /// Chains that lie side by side, with all rows between.
    async fn range(
        &self,
        verdict: &mut Verdict,
        rules: Rules<'_>,
        heads: Vec<Head>,
        through: Option<String>,
        from: Option<Reached>,
    ) -> Result<Came, Error> {
        let mut span = Span::from(from.as_ref(), through);
        let mut course = Course::new(heads, from, rules);
        let mut page = self.links(&span).await?;
        // Each page is walked along while the database reads the next one.
        while is_full(&page) {
            span.follow(&page)?;
            let (walked, next) = tokio::join!(course.walk(verdict, &page), self.links(&span));
            if let Some(broken) = walked? {
                return Ok(Came::Upon(broken));
            }
            if Instant::now() >= rules.deadline {
                return Ok(Came::Short(course.reached()));
            }
            page = next?;
        }
        if let Some(broken) = course.walk(verdict, &page).await? {
            return Ok(Came::Upon(broken));
        }
        Ok(match course.end(verdict) {
            Ok(()) => Came::Through,
            Err(broken) => Came::Upon(broken),
        })
    }

    /// Looks at a chain again, all at one moment: what was appended or removed by retention while it was walked along
    /// is no fault.
    async fn second_look(&self, rules: Rules<'_>, first: &Broken) -> Result<Option<Broken>, Error> {
        let moment = self.0.transaction().await?;
        moment
            .execute(
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
                &[],
            )
            .await?;
        let of_chain: [Parameter<'_>; 1] = [(&first.chain, Type::TEXT)];
        let rows = moment.query(HEAD, &of_chain).await?;
        let Some(row) = rows.first() else {
            return Ok(Some(first.clone()));
        };
        let Json(head) = column::<Json<Head>>(row, "head")?;
        let mut walk = match Walk::begin(head, rules.narrow, rules.seal) {
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
            let rows = moment.query(LINKS, &parameters).await?;
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
        moment.commit().await?;
        Ok(walk.end().err())
    }

    async fn heads(&self, scope: &Scope, from: Option<&Reached>) -> Result<Vec<Head>, Error> {
        let chain = match scope {
            Scope::Request(id) => Some(format!("request:{id}")),
            _ => None,
        };
        let user = match scope {
            Scope::User(id) => Some(id),
            _ => None,
        };
        let after = from.map(|from| from.chain.as_str()).unwrap_or_default();
        // A chain that was not finished is begun again where it was left.
        let unfinished = from.is_some_and(|from| from.sequence < i64::MAX);
        let parameters: [Parameter<'_>; 5] = [
            (&chain, Type::TEXT),
            (&user, Type::TEXT),
            (&after, Type::TEXT),
            (&unfinished, Type::BOOL),
            (&CHAINS, Type::INT8),
        ];
        let rows = self.0.query_repeatable(HEADS, &parameters).await?;
        let heads = rows
            .iter()
            .map(|row| column::<Json<Head>>(row, "head").map(|Json(head)| head));
        Ok(heads.collect::<Result<_, _>>()?)
    }

    async fn links(&self, span: &Span) -> Result<Vec<Row>, Error> {
        let parameters: [Parameter<'_>; 4] = [
            (&span.chain, Type::TEXT),
            (&span.sequence, Type::INT8),
            (&span.through, Type::TEXT),
            (&PAGE, Type::INT8),
        ];
        Ok(self.0.query_repeatable(LINKS, &parameters).await?)
    }

    async fn unchained(&self, scope: &Scope) -> Result<u64, Error> {
        let (request, user) = match scope {
            Scope::All => (None, None),
            Scope::Request(id) => (Some(id), None),
            Scope::User(id) => (None, Some(id)),
        };
        let sql = "SELECT count(*) AS unchained FROM (SELECT FROM signtusk.audit_entries \
            WHERE chain IS NULL AND ($1 IS NULL OR (resource_type = 'signing_request' AND resource_id = $1)) \
              AND ($2 IS NULL OR user_id = $2) LIMIT $3) AS counted";
        let parameters: [Parameter<'_>; 3] = [
            (&request, Type::TEXT),
            (&user, Type::TEXT),
            (&MOST_UNCHAINED, Type::INT8),
        ];
        let rows = self.0.query_repeatable(sql, &parameters).await?;
        let count: i64 = column(rows.first().ok_or(Error::Unreadable)?, "unchained")?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// The columns that a table from before has with other types.
    pub(super) async fn narrow(&self) -> Result<Narrow, Error> {
        let sql = "SELECT attname::text AS name FROM pg_attribute \
            WHERE attrelid = 'public.audit_logs'::regclass AND attname IN ('user_id', 'resource_id', 'ip_address') \
              AND atttypid NOT IN ('text'::regtype, 'varchar'::regtype)";
        let mut narrow = Narrow::default();
        for row in self.0.query_repeatable(sql, &[]).await? {
            match column::<&str>(&row, "name")? {
                "user_id" => narrow.user_id = true,
                "resource_id" => narrow.resource_id = true,
                _ => narrow.ip_address = true,
            }
        }
        Ok(narrow)
    }
}

impl Reached {
    /// The end of a chain.
    fn all_of(chain: String) -> Self {
        Self {
            chain,
            sequence: i64::MAX,
            hash: String::new(),
        }
    }
}

/// A walk along several chains in their order.
struct Course<'a> {
    rules: Rules<'a>,
    waiting: std::vec::IntoIter<Head>,
    walk: Option<Walk>,
}

impl<'a> Course<'a> {
    fn new(heads: Vec<Head>, from: Option<Reached>, rules: Rules<'a>) -> Self {
        let mut waiting = heads.into_iter();
        let left = from.filter(|from| {
            let first = waiting.as_slice().first();
            from.sequence > 0 && first.is_some_and(|head| head.chain == from.chain)
        });
        let walk = left.and_then(|from| {
            let head = waiting.next()?;
            Some(Walk::resume(head, rules.narrow, from.sequence, from.hash))
        });
        Self {
            rules,
            waiting,
            walk,
        }
    }

    /// Along a page, until a link that is broken, with pauses in which the connection takes in the next page.
    async fn walk(&mut self, verdict: &mut Verdict, page: &[Row]) -> Result<Option<Broken>, Error> {
        for some in page.chunks(STRIDE) {
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

    /// One event further, after the chains before its own have ended.
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
            self.walk = Some(Walk::begin(head, self.rules.narrow, self.rules.seal)?);
        }
        self.walk.as_mut().ok_or_else(never_begun)?.step(link)?;
        verdict.events += 1;
        Ok(())
    }

    /// Ends the walk, and those along chains that have no rows.
    fn end(self, verdict: &mut Verdict) -> Result<(), Broken> {
        if let Some(walk) = self.walk {
            verdict.chains += 1;
            walk.end()?;
        }
        for head in self.waiting {
            verdict.chains += 1;
            Walk::begin(head, self.rules.narrow, self.rules.seal)?.end()?;
        }
        Ok(())
    }

    fn reached(&self) -> Option<Reached> {
        self.walk.as_ref().map(|walk| Reached {
            chain: walk.chain().to_owned(),
            sequence: walk.sequence(),
            hash: walk.hash().to_owned(),
        })
    }
}

/// Whether there may be rows after these.
fn is_full(page: &[Row]) -> bool {
    i64::try_from(page.len()).is_ok_and(|rows| rows >= PAGE)
}

/// A row with the chain that it says it is of.
pub(super) fn link(row: &Row) -> Result<(&str, Link<'_>), Error> {
    let link = Link {
        sequence: column(row, "sequence")?,
        event_id: column(row, "event_id")?,
        previous_hash: column(row, "previous_hash")?,
        hash: column(row, "hash")?,
        canonical: column(row, "canonical")?,
        request_id: column(row, "request_id")?,
        domain: column(row, "domain")?,
        user_id: column(row, "user_id")?,
        action: column(row, "action")?,
        resource_type: column(row, "resource_type")?,
        resource_id: column(row, "resource_id")?,
        ip_address: column(row, "ip_address")?,
        user_agent: column(row, "user_agent")?,
        details: column(row, "details")?,
        metadata: column(row, "metadata")?,
        created_micros: column(row, "created_micros")?,
        recorded_micros: column(row, "recorded_micros")?,
    };
    Ok((column(row, "chain")?, link))
}
