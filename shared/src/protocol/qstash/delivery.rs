//! The headers of a delivery (<https://upstash.com/docs/qstash/howto/receiving>).

use http::HeaderMap;

use crate::base::id;

/// A delivery as described by its headers.
///
/// The signature does not cover headers: they are for bookkeeping and never decide trust. So parsing is lenient, and an
/// invalid header counts as absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The id of the message, the same for each attempt.
    pub message_id: Option<String>,
    /// The number of earlier attempts of this message: 0 on the first.
    pub retried: u32,
    /// The schedule that created the message.
    pub schedule_id: Option<String>,
}

impl From<&HeaderMap> for Delivery {
    fn from(headers: &HeaderMap) -> Self {
        Self {
            message_id: plain(headers, "upstash-message-id"),
            retried: text(headers, "upstash-retried")
                .and_then(|it| it.parse().ok())
                .unwrap_or(0),
            schedule_id: plain(headers, "upstash-schedule-id"),
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Returns an id that a key or a log line can contain unchanged.
fn plain(headers: &HeaderMap, name: &str) -> Option<String> {
    text(headers, name)
        .filter(|id| id::is_plain(id))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::Delivery;

    fn delivery(headers: &[(&'static str, &[u8])]) -> Delivery {
        let map = headers.iter().map(|(name, value)| {
            let value = HeaderValue::from_bytes(value).expect("a value");
            (HeaderName::from_static(name), value)
        });
        Delivery::from(&map.collect::<HeaderMap>())
    }

    #[test]
    fn delivery_headers_are_read() {
        let delivery = delivery(&[
            ("upstash-message-id", b"msg_1"),
            ("upstash-retried", b"3"),
            ("upstash-schedule-id", b"cleanup-expired"),
        ]);
        let expected = Delivery {
            message_id: Some("msg_1".into()),
            retried: 3,
            schedule_id: Some("cleanup-expired".into()),
        };
        assert_eq!(delivery, expected);
    }

    #[test]
    fn invalid_delivery_headers_are_ignored() {
        let long = [b'a'; 257];
        let odd: [&[(&'static str, &[u8])]; 6] = [
            &[],
            &[("upstash-retried", b"-1"), ("upstash-message-id", b"")],
            &[("upstash-retried", b"99999999999")],
            &[("upstash-retried", b"x"), ("upstash-schedule-id", b" ")],
            &[("upstash-message-id", b"\xff\xfe")],
            &[
                ("upstash-message-id", &long),
                ("upstash-schedule-id", b"a b"),
            ],
        ];
        for headers in odd {
            assert_eq!(delivery(headers), Delivery::default(), "{headers:?}");
        }
    }
}
