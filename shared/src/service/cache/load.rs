//! Loading from the database, once, by the elected reader.

use super::class::Class;
use super::entry::Loaded;
use super::id::Id;
use super::kind::Kind;
use crate::protocol::postgres::{self, Parameter, Postgres, Type, column};

/// Returns the database's content for an id, with the kind's one statement.
pub(super) async fn load<C: Class>(
    postgres: &Postgres,
    kind: &Kind<C>,
    id: &Id,
) -> Result<Loaded, postgres::Error> {
    if !id.may_exist(kind.subject()) {
        return Ok(Loaded::default());
    }
    let text = id.as_str();
    let parameters: [Parameter<'_>; 1] = [(&text, Type::TEXT)];
    let rows = postgres.query_repeatable(kind.load(), &parameters).await?;
    let Some(row) = rows.first() else {
        return Ok(Loaded::default());
    };
    Ok(Loaded {
        value: column(row, "value")?,
        parties: column(row, "parties")?,
    })
}
