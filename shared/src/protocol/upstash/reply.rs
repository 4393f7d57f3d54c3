//! Replies: the wire format, and the types that callers read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};

use super::error::Error;

/// A reply of Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// No value.
    Nil,
    /// An integer.
    Integer(i64),
    /// A string or a status; any bytes.
    Bytes(Vec<u8>),
    /// Several replies.
    Array(Vec<Reply>),
}

/// Reads JSON in which every string is base64. Only the status `OK` is sent as it is, which is not valid base64.
impl<'de> Deserialize<'de> for Reply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReplyVisitor)
    }
}

struct ReplyVisitor;

impl<'de> Visitor<'de> for ReplyVisitor {
    type Value = Reply;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("null, an integer, a base64 string or an array of these")
    }

    fn visit_unit<E>(self) -> Result<Reply, E> {
        Ok(Reply::Nil)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Reply, E> {
        Ok(Reply::Integer(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Reply, E> {
        i64::try_from(value).map(Reply::Integer).map_err(E::custom)
    }

    fn visit_str<E>(self, text: &str) -> Result<Reply, E> {
        Ok(Reply::Bytes(
            STANDARD
                .decode(text)
                .unwrap_or_else(|_| text.as_bytes().to_vec()),
        ))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Reply, A::Error> {
        let mut replies = Vec::new();
        while let Some(reply) = items.next_element()? {
            replies.push(reply);
        }
        Ok(Reply::Array(replies))
    }
}

/// The protocol's frame of a reply: `{"result": ..}` or `{"error": ".."}`.
pub(super) struct Answer(pub(super) Result<Reply, Error>);

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Frame {
            /// Distinguishes absent from null: null is the reply nil, absent is no reply.
            #[serde(default, deserialize_with = "present")]
            result: Option<Reply>,
            error: Option<String>,
        }
        let frame = Frame::deserialize(deserializer)?;
        Ok(Self(match (frame.error, frame.result) {
            (Some(line), _) => Err(Error::from_line(line)),
            (None, Some(reply)) => Ok(reply),
            (None, None) => return Err(D::Error::custom("neither a result nor an error")),
        }))
    }
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Reply>, D::Error> {
    Reply::deserialize(deserializer).map(Some)
}

/// A type that a reply can be read as.
pub trait FromReply: Sized {
    /// Reads the reply, or errors with its actual type.
    fn from_reply(reply: Reply) -> Result<Self, Error>;
}

fn unexpected<T>(wanted: &str, reply: &Reply) -> Result<T, Error> {
    let got = match reply {
        Reply::Nil => "nothing",
        Reply::Integer(_) => "an integer",
        Reply::Bytes(_) => "a string",
        Reply::Array(_) => "an array",
    };
    Err(Error::Decode(format!("wanted {wanted}, got {got}")))
}

impl FromReply for Reply {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        Ok(reply)
    }
}

/// The reply of commands whose answer only confirms that they ran.
impl FromReply for () {
    fn from_reply(_: Reply) -> Result<Self, Error> {
        Ok(())
    }
}

impl FromReply for Vec<u8> {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        match reply {
            Reply::Bytes(bytes) => Ok(bytes),
            other => unexpected("a string", &other),
        }
    }
}

impl FromReply for String {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        Self::from_utf8(Vec::from_reply(reply)?)
            .map_err(|_| Error::Decode("a string is not UTF-8".into()))
    }
}

/// An integer. Redis sends one as text if it stores a string.
impl FromReply for i64 {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        match reply {
            Reply::Integer(value) => Ok(value),
            Reply::Bytes(ref text) => std::str::from_utf8(text)
                .ok()
                .and_then(|text| text.parse().ok())
                .map_or_else(|| unexpected("an integer", &reply), Ok),
            other => unexpected("an integer", &other),
        }
    }
}

impl FromReply for u64 {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        Self::try_from(i64::from_reply(reply)?)
            .map_err(|_| Error::Decode("wanted a count, got a negative number".into()))
    }
}

impl<T: FromReply> FromReply for Option<T> {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        match reply {
            Reply::Nil => Ok(None),
            some => T::from_reply(some).map(Some),
        }
    }
}

/// An array. `Vec<u8>` is a string and is read separately; every other element type is read item by item.
impl<T: FromReply + NotByte> FromReply for Vec<T> {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        match reply {
            Reply::Array(items) => items.into_iter().map(T::from_reply).collect(),
            other => unexpected("an array", &other),
        }
    }
}

/// Element types of arrays, to distinguish them from `Vec<u8>` (a string).
pub trait NotByte {}
impl NotByte for Reply {}
impl NotByte for String {}
impl NotByte for i64 {}
impl NotByte for u64 {}
impl NotByte for Vec<u8> {}
impl<T> NotByte for Option<T> {}
impl<T: NotByte> NotByte for Vec<T> {}
impl<A, B> NotByte for (A, B) {}

/// Alternating fields and values, as `HGETALL` and `ZRANGE .. WITHSCORES` return them.
impl<A: FromReply, B: FromReply> FromReply for Pairs<A, B> {
    fn from_reply(reply: Reply) -> Result<Self, Error> {
        let Reply::Array(items) = reply else {
            return unexpected("an array", &reply);
        };
        let mut pairs = Vec::with_capacity(items.len() / 2);
        let mut items = items.into_iter();
        while let Some(first) = items.next() {
            let Some(second) = items.next() else {
                return Err(Error::Decode("an odd number of pairs".into()));
            };
            pairs.push((A::from_reply(first)?, B::from_reply(second)?));
        }
        Ok(Self(pairs))
    }
}

/// A flat array of alternating items, read as pairs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairs<A, B>(pub Vec<(A, B)>);

#[cfg(test)]
mod tests {
    use super::{Answer, FromReply, Reply};

    fn read(json: &str) -> Reply {
        serde_json::from_str::<Answer>(json).unwrap().0.unwrap()
    }

    #[test]
    fn nested_strings_are_decoded_and_ok_is_unchanged() {
        assert_eq!(read(r#"{"result":"OK"}"#), Reply::Bytes(b"OK".to_vec()));
        assert_eq!(
            read(r#"{"result":["T0s=",[null,7,"/w=="]]}"#),
            Reply::Array(vec![
                Reply::Bytes(b"OK".to_vec()),
                Reply::Array(vec![
                    Reply::Nil,
                    Reply::Integer(7),
                    Reply::Bytes(vec![0xff])
                ]),
            ])
        );
    }

    #[test]
    fn null_result_is_nil() {
        assert_eq!(read(r#"{"result":null}"#), Reply::Nil);
        assert!(serde_json::from_str::<Answer>("{}").is_err());
    }

    #[test]
    fn count_stored_as_text_is_read_as_a_number() {
        assert_eq!(i64::from_reply(Reply::Bytes(b"42".to_vec())).unwrap(), 42);
        assert!(i64::from_reply(Reply::Bytes(b"4 2".to_vec())).is_err());
        assert!(u64::from_reply(Reply::Integer(-1)).is_err());
    }
}
