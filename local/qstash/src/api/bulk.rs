//! What a bulk action is meant for: a filter in the query and, from some clients, ids in a JSON body.

use serde::Deserialize;

use crate::filter::Filter;

use super::refusal::Refusal;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ids {
    message_ids: Option<Vec<String>>,
    dlq_ids: Option<Vec<String>>,
}

/// Parses both. An empty list of ids is refused: without ids and filters an action means everything.
pub(super) fn filter(query: Option<&str>, body: &[u8]) -> Result<Filter, Refusal> {
    let mut filter = Filter::parse(query)?;
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(filter);
    }
    let ids: Ids = serde_json::from_slice(body)?;
    for (given, wanted) in [
        (ids.message_ids, &mut filter.message_ids),
        (ids.dlq_ids, &mut filter.dlq_ids),
    ] {
        if given.as_ref().is_some_and(Vec::is_empty) {
            return Err(Refusal::Invalid("the list of ids is empty".to_owned()));
        }
        wanted.extend(given.unwrap_or_default());
    }
    Ok(filter)
}
