//! A reply as JSON: which parts are text, base64, or neither.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::format::Format;
use crate::redis::Reply;

/// `{"result": ...}` or `{"error": ...}`. Errors are never encoded, and neither is the status `OK` as a whole result.
pub(crate) struct Outcome<'a> {
    pub(crate) reply: &'a Reply,
    pub(crate) format: Format,
}

impl Serialize for Outcome<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self.reply {
            Reply::Error(line) => map.serialize_entry("error", &String::from_utf8_lossy(line))?,
            Reply::Status(line) if **line == *b"OK" => map.serialize_entry("result", "OK")?,
            reply => map.serialize_entry(
                "result",
                &Encoded {
                    reply,
                    format: self.format,
                },
            )?,
        }
        map.end()
    }
}

/// A result at any depth: every string encoded, including `OK`, because clients decode list members.
struct Encoded<'a> {
    reply: &'a Reply,
    format: Format,
}

impl Encoded<'_> {
    fn text<'b>(&self, bytes: &'b [u8]) -> Cow<'b, str> {
        match self.format {
            Format::Base64 => Cow::Owned(STANDARD.encode(bytes)),
            _ => String::from_utf8_lossy(bytes),
        }
    }
}

impl Serialize for Encoded<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.reply {
            Reply::Status(bytes) | Reply::Bulk(bytes) | Reply::Error(bytes) => {
                serializer.serialize_str(&self.text(bytes))
            }
            Reply::Integer(value) => serializer.serialize_i64(*value),
            Reply::NullBulk | Reply::NullArray => serializer.serialize_unit(),
            Reply::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for reply in items {
                    list.serialize_element(&Encoded {
                        reply,
                        format: self.format,
                    })?;
                }
                list.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn written(reply: &Reply, format: Format) -> String {
        serde_json::to_string(&Outcome { reply, format }).unwrap()
    }

    fn status(line: &'static str) -> Reply {
        Reply::Status(Bytes::from_static(line.as_bytes()))
    }

    #[test]
    fn only_a_top_level_ok_is_exempt_from_base64() {
        let nested = Reply::Array(vec![
            status("OK"),
            Reply::Integer(7),
            Reply::NullBulk,
            Reply::Array(vec![status("OK")]),
        ]);
        assert_eq!(written(&status("OK"), Format::Base64), r#"{"result":"OK"}"#);
        assert_eq!(
            written(&status("PONG"), Format::Base64),
            r#"{"result":"UE9ORw=="}"#
        );
        assert_eq!(
            written(&Reply::Bulk("OK".into()), Format::Base64),
            r#"{"result":"T0s="}"#
        );
        assert_eq!(
            written(&nested, Format::Base64),
            r#"{"result":["T0s=",7,null,["T0s="]]}"#
        );
    }

    #[test]
    fn errors_are_text_in_every_format() {
        let error =
            Reply::error("WRONGTYPE Operation against a key holding the wrong kind of value");
        assert_eq!(
            written(&error, Format::Base64),
            written(&error, Format::Text)
        );
        assert!(written(&error, Format::Text).starts_with(r#"{"error":"WRONGTYPE Op"#));
    }

    #[test]
    fn binary_bytes_survive_only_in_base64() {
        let bytes = Reply::Bulk(Bytes::from_static(b"a\xff"));
        assert_eq!(written(&bytes, Format::Text), "{\"result\":\"a\u{fffd}\"}");
        assert_eq!(written(&bytes, Format::Base64), r#"{"result":"Yf8="}"#);
    }

    #[test]
    fn large_integers_keep_all_digits() {
        assert_eq!(
            written(&Reply::Integer(i64::MAX), Format::Text),
            r#"{"result":9223372036854775807}"#
        );
    }
}
