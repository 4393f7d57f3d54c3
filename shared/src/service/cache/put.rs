//! Putting a value of the web app, for display kinds.

use super::Error;
use super::class::{Class as _, Display};
use super::entry::Generation;
use super::id::Id;
use super::kind::Kind;
use crate::base::id::nonce;
use crate::protocol::upstash::{self, Redis, Script, key_locked};

/// The largest value that is cached, in bytes.
pub const LARGEST_VALUE: usize = 512 << 10;

static PUT: Script = Script::repeatable(key_locked!(
    include_str!("lua/clock.lua"),
    include_str!("lua/put.lua")
));

/// A JSON object, stored byte for byte as sent.
#[derive(Clone, Debug, PartialEq, Eq, utoipa::ToSchema)]
#[schema(as = CachedObject, value_type = Object)]
pub struct Object(String);

/// Why bytes are not a cacheable object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidObject {
    /// They are not a JSON object.
    #[error("must be a JSON object")]
    NoObject,
    /// They exceed [`LARGEST_VALUE`].
    #[error("must not be larger than 512 KB")]
    TooLarge,
}

impl Object {
    /// Parses an object, and keeps its text.
    pub fn read(bytes: &[u8]) -> Result<Self, InvalidObject> {
        if bytes.len() > LARGEST_VALUE {
            return Err(InvalidObject::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| InvalidObject::NoObject)?;
        serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text)
            .map_err(|_| InvalidObject::NoObject)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The result of a put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// The value is cached with this generation.
    Done(Generation),
    /// The entry no longer has the stated generation.
    Changed,
    /// There is a value, and no generation was stated.
    Cached,
    /// The id is invalid.
    NoSuchId,
}

pub(super) async fn put(
    redis: &Redis,
    kind: &'static Kind<Display>,
    id: &str,
    value: &Object,
    read: Option<&Generation>,
) -> Result<Put, Error> {
    let Some(id) = Id::of(kind.subject(), id) else {
        return Ok(Put::NoSuchId);
    };
    let generation = Generation(nonce());
    let call = PUT
        .invoke()
        .key(kind.key(&id))
        .arg(read.map_or("", |read| read.0.as_str()))
        .arg(&generation)
        .arg(value.as_str())
        .arg(kind.class().ttl().as_millis())
        .arg(kind.class().lifetimes().kept.as_millis());
    match redis.eval::<String>(call).await?.as_str() {
        "put" => Ok(Put::Done(generation)),
        "changed" => Ok(Put::Changed),
        "cached" => Ok(Put::Cached),
        _ => Err(upstash::Error::Decode("unexpected result of the put script".to_owned()).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidObject, LARGEST_VALUE, Object};

    #[test]
    fn only_objects_are_cached_and_their_text_is_kept() {
        for text in [
            "{}",
            " {\"a\" : 1.0e0, \"a\": null}\n",
            "{\"\u{fc}\":\"\\u0000\"}",
        ] {
            assert_eq!(Object::read(text.as_bytes()).unwrap().as_str(), text);
        }
        for text in [
            "",
            "null",
            "0",
            "false",
            "\"\"",
            "[]",
            "[{}]",
            "{",
            "{}{}",
            "{a:1}",
            "{\"a\":NaN}",
        ] {
            assert_eq!(
                Object::read(text.as_bytes()),
                Err(InvalidObject::NoObject),
                "{text}"
            );
        }
        assert_eq!(
            Object::read(b"{\"a\":\"\xff\"}"),
            Err(InvalidObject::NoObject)
        );
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(LARGEST_VALUE));
        assert_eq!(Object::read(large.as_bytes()), Err(InvalidObject::TooLarge));
    }
}
