//! The target of a bulk action: a filter in the query and, from some clients, in a JSON body.

use serde_json::{Map, Value};

use crate::filter::Filter;

use super::refusal::Refusal;

/// The member or parameter that requests background work.
const ASYNC: &str = "async";

/// The target of a bulk action.
pub(super) struct Bulk {
    /// The selected items.
    pub(super) filter: Filter,
    /// Whether the caller asks for the result later.
    pub(super) in_background: bool,
}

/// Parses both. An empty list is rejected: without ids and filters an action would select everything.
pub(super) fn parse(query: Option<&str>, body: &[u8]) -> Result<Bulk, Refusal> {
    let mut bulk = Bulk {
        filter: Filter::parse(query)?,
        in_background: url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .any(|(name, value)| name == ASYNC && value == "true"),
    };
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(bulk);
    }
    let members: Map<String, Value> = serde_json::from_slice(body)?;
    for (name, value) in &members {
        match value {
            Value::Null => {}
            Value::Bool(asked) if name == ASYNC => bulk.in_background = *asked,
            Value::Array(values) if values.is_empty() => {
                return Err(Refusal::Invalid(format!("the list `{name}` is empty")));
            }
            Value::Array(values) => {
                for value in values {
                    bulk.filter.add(name, &text(name, value)?)?;
                }
            }
            value => bulk.filter.add(name, &text(name, value)?)?,
        }
    }
    Ok(bulk)
}

fn text(name: &str, value: &Value) -> Result<String, Refusal> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(Refusal::Invalid(format!(
            "`{name}` is neither a text nor a number"
        ))),
    }
}
