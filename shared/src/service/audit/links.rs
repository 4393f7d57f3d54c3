//! Reading chains: their heads, their links in pages, and the rows without a chain.

use super::Error;
use super::chain::{Head, LegacyColumns, Link, Position, Scope};
use crate::protocol::postgres::{Json, Parameter, Postgres, Row, Type, column};

const HEADS: &str = include_str!("heads.sql");
/// Reads links of chains in order: after a chain and a position, through a chain, with a limit.
pub(super) const LINKS: &str = include_str!("links.sql");

/// Reads the end of one chain.
pub(super) const HEAD: &str =
    "SELECT to_json(chained) AS head FROM signtusk.audit_chains AS chained WHERE chain = $1";

/// The number of chains that are begun at a time.
pub(super) const CHAINS: i64 = 200;

/// The number of events that are read at a time; two pages of them are held in memory.
pub(super) const PAGE: i64 = 1000;

/// The limit up to which rows without a chain are counted.
const MAX_UNCHAINED: i64 = 100_000;

/// The range of the next rows, in the order of chain and position.
pub(super) struct Span {
    chain: String,
    sequence: i64,
    through: Option<String>,
}

impl Span {
    /// Returns the range from a position on, or from the beginning.
    pub(super) fn from(reached: Option<&Position>, through: Option<String>) -> Self {
        Self {
            chain: reached.map(|from| from.chain.clone()).unwrap_or_default(),
            // A row whose position was set to zero precedes the first one.
            sequence: reached
                .map(|from| from.sequence)
                .filter(|sequence| *sequence > 0)
                .unwrap_or(-1),
            through,
        }
    }

    /// Moves the range after a page.
    pub(super) fn follow(&mut self, page: &[Row]) -> Result<(), Error> {
        if let Some(last) = page.last() {
            column::<&str>(last, "chain")?.clone_into(&mut self.chain);
            self.sequence = column(last, "sequence")?;
        }
        Ok(())
    }
}

pub(super) async fn heads(
    postgres: &Postgres,
    scope: &Scope,
    from: Option<&Position>,
) -> Result<Vec<Head>, Error> {
    let chain = match scope {
        Scope::Request(id) => Some(format!("request:{id}")),
        _ => None,
    };
    let user = match scope {
        Scope::User(id) => Some(id),
        _ => None,
    };
    let after = from.map(|from| from.chain.as_str()).unwrap_or_default();
    // An unfinished chain is continued at its position.
    let unfinished = from.is_some_and(|from| from.sequence < i64::MAX);
    let parameters: [Parameter<'_>; 5] = [
        (&chain, Type::TEXT),
        (&user, Type::TEXT),
        (&after, Type::TEXT),
        (&unfinished, Type::BOOL),
        (&CHAINS, Type::INT8),
    ];
    let rows = postgres.query_repeatable(HEADS, &parameters).await?;
    let heads = rows
        .iter()
        .map(|row| column::<Json<Head>>(row, "head").map(|Json(head)| head));
    Ok(heads.collect::<Result<_, _>>()?)
}

pub(super) async fn page(postgres: &Postgres, span: &Span) -> Result<Vec<Row>, Error> {
    let parameters: [Parameter<'_>; 4] = [
        (&span.chain, Type::TEXT),
        (&span.sequence, Type::INT8),
        (&span.through, Type::TEXT),
        (&PAGE, Type::INT8),
    ];
    Ok(postgres.query_repeatable(LINKS, &parameters).await?)
}

pub(super) async fn unchained(postgres: &Postgres, scope: &Scope) -> Result<u64, Error> {
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
        (&MAX_UNCHAINED, Type::INT8),
    ];
    let rows = postgres.query_repeatable(sql, &parameters).await?;
    let count: i64 = column(rows.first().ok_or(Error::Unreadable)?, "unchained")?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// Returns the columns that an older table has with other types.
pub(super) async fn legacy_columns(postgres: &Postgres) -> Result<LegacyColumns, Error> {
    let sql = "SELECT attname::text AS name FROM pg_attribute \
        WHERE attrelid = 'public.audit_logs'::regclass AND attname IN ('user_id', 'resource_id', 'ip_address') \
          AND atttypid NOT IN ('text'::regtype, 'varchar'::regtype)";
    let mut legacy = LegacyColumns::default();
    for row in postgres.query_repeatable(sql, &[]).await? {
        match column::<&str>(&row, "name")? {
            "user_id" => legacy.user_id = true,
            "resource_id" => legacy.resource_id = true,
            _ => legacy.ip_address = true,
        }
    }
    Ok(legacy)
}

/// Returns whether there may be rows after these.
pub(super) fn is_full(page: &[Row]) -> bool {
    i64::try_from(page.len()).is_ok_and(|rows| rows >= PAGE)
}

/// Returns a row with the chain that it names.
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
